/** OPA's compiler, broken on purpose: each mutant must fail in the law that it names. */
import type { OpaCompilerOptions } from '../../../adapters/compiler/opa/compiler.ts'
import { createOpaCompiler } from '../../../adapters/compiler/opa/index.ts'
import type {
  Bundle,
  Compiler,
  Problem,
  Sources,
  TestCase,
  TestReport,
} from '../../../core/ports/compiler.ts'
import { compiler } from '../../rego.ts'
import { type CompilerSubject, compilerLaws } from '../compiler.ts'
import type { Law, Mutant } from '../laws.ts'

/** One compiler behind all mutants, unless the law wants another. */
function broken(change: (inner: Compiler) => Partial<Compiler>): CompilerSubject {
  return {
    name: 'compiler/opa',
    open(options?: OpaCompilerOptions) {
      const inner = options === undefined ? compiler : createOpaCompiler(options)
      const original: Compiler = {
        name: inner.name,
        version: inner.version,
        build: (sources, asked) => inner.build(sources, asked),
        check: (sources, asked) => inner.check(sources, asked),
        format: (sources) => inner.format(sources),
        syntax: (sources) => inner.syntax(sources),
        test: (sources, asked) => inner.test(sources, asked),
        close: async () => (inner === compiler ? undefined : inner.close()),
      }
      return { ...original, ...change(original) }
    },
  }
}

const building = (change: (bundle: Bundle) => Partial<Bundle>): CompilerSubject =>
  broken((inner) => ({
    async build(sources, options) {
      const bundle = await inner.build(sources, options)
      return { ...bundle, ...change(bundle) }
    },
  }))

const checking = (change: (problems: readonly Problem[]) => readonly Problem[]): CompilerSubject =>
  broken((inner) => ({
    check: async (sources, options) => change(await inner.check(sources, options)),
  }))

const testing = (change: (report: TestReport) => TestReport): CompilerSubject =>
  broken((inner) => ({
    test: async (sources, options) => change(await inner.test(sources, options)),
  }))

const eachTest = (change: (test: TestCase) => TestCase): CompilerSubject =>
  testing((report) => ({ ...report, tests: report.tests.map(change) }))

const withoutMessage = ({ message: _, ...test }: TestCase): TestCase => test
const onlyModules = (sources: Sources): Sources =>
  Object.fromEntries(Object.entries(sources).filter(([path]) => !path.endsWith('_test.rego')))

let builds = 0

const builders: readonly Mutant<CompilerSubject>[] = [
  {
    name: 'counts its builds in the digest',
    law: 'the same sources are the same bundle, in any order, again and in another compiler',
    subject: building(({ digest }) => ({ digest: `${digest.slice(0, -1)}${builds++ % 10}` })),
  },
  {
    name: 'leaves the policy out of the digest',
    law: 'the digest follows policy, capabilities and entry points, the revision follows data, and tests change neither',
    subject: building(() => ({ digest: `sha256:${'0'.repeat(64)}` })),
  },
  {
    name: 'serves tests',
    law: 'a bundle holds policies without tests, data by folder, and what was asked for',
    subject: broken((inner) => ({
      build: async (sources, options) => ({ ...(await inner.build(sources, options)), sources }),
    })),
  },
  {
    name: 'does not look for annotations',
    law: 'annotated entry points are entry points, and one is needed',
    subject: broken((inner) => ({
      build: async (sources, options) => ({
        ...(await inner.build(sources, options)),
        entrypoints: options.entrypoints,
      }),
    })),
  },
]

const checkers: readonly Mutant<CompilerSubject>[] = [
  {
    name: 'counts rows from zero',
    law: 'a mistake is a problem with its place, in builds, checks and tests alike',
    subject: checking((problems) =>
      problems.map((one) => (one.row === undefined ? one : { ...one, row: one.row - 1 })),
    ),
  },
  {
    name: 'stops at the first mistake',
    law: 'mistakes of all files are reported together',
    subject: checking((problems) => problems.slice(0, 1)),
  },
  {
    name: 'knows one capability set',
    law: 'a function outside of the capabilities is refused where it is called',
    subject: broken((inner) => ({
      check: (sources, options) => inner.check(sources, { ...options, capabilities: 'compat' }),
    })),
  },
  {
    name: 'checks what it can build only',
    law: 'a check is strict, and prints are for tests',
    subject: broken((inner) => ({
      check: (sources, options) =>
        inner.build(sources, { ...options, entrypoints: ['p/decision'] }).then(
          () => [],
          (error: { problems: readonly Problem[] }) => error.problems,
        ),
    })),
  },
  {
    name: 'has no schemas',
    law: 'a schema finds what the input does not have',
    subject: broken((inner) => ({
      check: (sources, { schemas, ...options }) =>
        inner.check(sources, { ...options, schemas: { ...schemas, 'schema.facts': {} } }),
    })),
  },
  {
    name: 'formats no tests',
    law: 'formatting formats every module, changes nothing twice, and refuses what does not parse',
    subject: broken((inner) => ({ format: (sources) => inner.format(onlyModules(sources)) })),
  },
]

const testers: readonly Mutant<CompilerSubject>[] = [
  {
    name: 'takes an error for a failure',
    law: 'every test is reported with its outcome and place, in the same order each time',
    subject: eachTest((one) => (one.outcome === 'error' ? { ...one, outcome: 'fail' } : one)),
  },
  {
    name: 'gives no reason',
    law: 'what did not pass says why: the row that does not hold, what was printed, the case, the error',
    subject: eachTest(withoutMessage),
  },
  {
    name: 'runs all tests always',
    law: 'a filter picks tests by package and name',
    subject: broken((inner) => ({
      test: (sources, { run: _, ...options }) => inner.test(sources, options),
    })),
  },
  {
    name: 'finds everything covered',
    law: 'coverage counts policy files and names the rows that no test reached',
    subject: testing(({ tests, coverage }) => ({
      tests,
      ...(coverage && {
        coverage: { ...coverage, files: coverage.files.map((one) => ({ ...one, notCovered: [] })) },
      }),
    })),
  },
]

const workers: readonly Mutant<CompilerSubject>[] = [
  {
    name: 'waits longer than it was told',
    law: 'what does not end is ended at the deadline, and the compiler works on',
    subject: broken((inner) => ({
      test: (sources, options) =>
        inner.test(sources, options).catch((error: { code: string }) => {
          if (error.code === 'timeout') return { tests: [] }
          throw error
        }),
    })),
  },
  {
    name: 'mixes up answers',
    law: 'calls at the same time are answered each on its own',
    subject: broken((inner) => {
      let last: Promise<readonly Problem[]> | undefined
      return {
        check(sources, options) {
          const answer = last ?? inner.check(sources, options)
          last = inner.check(sources, options)
          return answer
        },
      }
    }),
  },
  {
    name: 'works when it is closed',
    law: 'a closed compiler answers nothing, whatever was asked before',
    subject: broken(() => ({ close: async () => undefined })),
  },
]

export const laws: readonly Law<CompilerSubject>[] = compilerLaws

export const mutants: readonly Mutant<CompilerSubject>[] = [
  ...builders,
  ...checkers,
  ...testers,
  ...workers,
]
