/** The laws of {@link Compiler}: the same sources are the same bundle, a mistake is a problem with a place, and nothing hangs it. */
import { expect } from 'vitest'
import { CompilerError } from '../../core/error.ts'
import type { Bundle, Compiler, Problem, Sources } from '../../core/ports/compiler.ts'
import { checkingLaws } from './compiler-checking.ts'
import { testingLaws } from './compiler-testing.ts'
import { type Law, refusal, registerLaws, type Subject } from './laws.ts'

export interface CompilerSubject extends Subject {
  /** A new compiler; `deadlineMs` for each call. */
  open(options?: { readonly deadlineMs?: number }): Compiler | Promise<Compiler>
}

const opened = new WeakMap<CompilerSubject, Compiler>()

/** One compiler for the laws that need no other: it takes a while to start, and stops by itself. */
export async function withCompiler<T>(
  subject: CompilerSubject,
  use: (compiler: Compiler) => Promise<T>,
): Promise<T> {
  const compiler = opened.get(subject) ?? (await subject.open())
  opened.set(subject, compiler)
  return await use(compiler)
}

/** Another compiler, for these laws alone. */
async function withAnother<T>(
  subject: CompilerSubject,
  use: (compiler: Compiler) => Promise<T>,
  options?: { readonly deadlineMs?: number },
): Promise<T> {
  const compiler = await subject.open(options)
  try {
    return await use(compiler)
  } finally {
    await compiler.close()
  }
}

/** One file of package `p`, whose first rule stands in row 3. */
export function p(rego: string): Sources {
  return { 'p/p.rego': `package p\n\n${rego}\n` }
}

export const BUILD = { capabilities: 'trust', entrypoints: ['p/decision'] } as const

/** The problems that a build is refused with. */
export async function problemsOf(promise: Promise<unknown>): Promise<readonly Problem[]> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(CompilerError)
  expect((error as CompilerError).code).toBe('invalid_policy')
  const { problems } = error as CompilerError
  expect(problems.length).toBeGreaterThan(0)
  return problems
}

const POLICY: Sources = {
  'p/p.rego': 'package p\n\ndecision := {"list": data.p.list, "of": data.lib.of}\n',
  'lib/of.rego': 'package lib\n\nof := input.of\n',
  'p/p_test.rego': 'package p_test\n\ntest_p if data.p.decision with input as {"of": 1}\n',
  'p/data.json': '{"list":[1,2]}',
  'data.json': '{"top":{"x":1}}',
}

function reversed(sources: Sources): Sources {
  return Object.fromEntries(Object.entries(sources).reverse())
}

const identity = ({ digest, revision, wasm, plan, entrypoints }: Bundle): unknown => ({
  digest,
  revision,
  entrypoints,
  plan,
  wasm: Buffer.from(wasm).toString('base64'),
})

const building: readonly Law<CompilerSubject>[] = [
  {
    name: 'the same sources are the same bundle, in any order, again and in another compiler',
    async run(subject) {
      const entrypoints = ['p/decision', 'lib/of']
      const first = await withCompiler(subject, async (compiler) => {
        const made = await compiler.build(POLICY, { ...BUILD, entrypoints })
        const again = await compiler.build(reversed(POLICY), {
          ...BUILD,
          entrypoints: [...entrypoints].reverse(),
        })
        expect(identity(again)).toEqual(identity(made))
        return identity(made)
      })
      const other = await withAnother(subject, (compiler) =>
        compiler.build(POLICY, { ...BUILD, entrypoints }),
      )
      expect(identity(other)).toEqual(first)
    },
  },
  {
    name: 'the digest follows policy, capabilities and entry points, the revision follows data, and tests change neither',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const made = await compiler.build(POLICY, BUILD)
        expect(made.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
        expect(made.revision).toMatch(/^sha256:[0-9a-f]{64}$/)
        const same = async (sources: Sources, options = {}): Promise<unknown> => {
          const { digest, revision } = await compiler.build(sources, { ...BUILD, ...options })
          return [digest === made.digest, revision === made.revision]
        }
        const policy = `${POLICY['p/p.rego']}# a comment\n`
        expect(await same({ ...POLICY, 'p/p.rego': policy })).toEqual([false, true])
        expect(await same({ ...POLICY, 'p/data.json': '{"list":[2,1]}' })).toEqual([true, false])
        expect(await same({ ...POLICY, 'p/data.json': ' {"list": [1, 2]}' })).toEqual([true, true])
        expect(await same({ ...POLICY, 'p/p_test.rego': 'package p_test' })).toEqual([true, true])
        const { 'lib/of.rego': moved, ...rest } = POLICY
        expect(await same({ ...rest, 'lib/moved.rego': moved! })).toEqual([false, true])
        expect(await same(POLICY, { entrypoints: ['lib/of'] })).toEqual([false, true])
        expect(await same(POLICY, { capabilities: 'compat' })).toEqual([false, true])
      })
    },
  },
  {
    name: 'a bundle holds policies without tests, data by folder, and what was asked for',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const made = await compiler.build(POLICY, BUILD)
        expect(Object.keys(made.sources).sort()).toEqual(['lib/of.rego', 'p/p.rego'])
        expect(made.sources['p/p.rego']).toBe(POLICY['p/p.rego'])
        expect(made.data).toEqual({ p: { list: [1, 2] }, top: { x: 1 } })
        expect(made.entrypoints).toEqual(['p/decision'])
        expect(made.capabilities).toBe('trust')
        expect([...made.wasm.subarray(0, 4)]).toEqual([0, 0x61, 0x73, 0x6d])
        expect(made.plan).toMatchObject({ plans: { plans: [{ name: 'p/decision' }] } })
      })
    },
  },
  {
    name: 'annotated entry points are entry points, and one is needed',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const annotated = p('# METADATA\n# entrypoint: true\ndecision := 1\n\nother := 2')
        const none = { ...BUILD, entrypoints: [] }
        expect((await compiler.build(annotated, none)).entrypoints).toEqual(['p/decision'])
        const both = await compiler.build(annotated, { ...BUILD, entrypoints: ['p/other'] })
        expect([...both.entrypoints].sort()).toEqual(['p/decision', 'p/other'])
        await problemsOf(compiler.build(p('decision := 1'), none))
        await problemsOf(compiler.build(p('other := 1'), BUILD))
        for (const name of ['', '/', 'p//decision', 'p.decision', '../p'])
          await problemsOf(compiler.build(p('other := 1'), { ...BUILD, entrypoints: [name] }))
      })
    },
  },
]

const LOOP = `test_loop if {
	numbers.range(1, 3000)[a] + numbers.range(1, 3000)[b] + numbers.range(1, 3000)[c] == a + b + c
}`

const lifecycle: readonly Law<CompilerSubject>[] = [
  {
    name: 'what does not end is ended at the deadline, and the compiler works on',
    async run(subject) {
      const check = async (compiler: Compiler): Promise<void> => {
        const endless = { 'p/p_test.rego': `package p_test\n\n${LOOP}\n` }
        const run = compiler.test(endless, { capabilities: 'trust' })
        expect(await refusal(run)).toBe('timeout')
        expect((await compiler.build(p('decision := 1'), BUILD)).entrypoints).toEqual([
          'p/decision',
        ])
      }
      await withAnother(subject, check, { deadlineMs: 8000 })
    },
  },
  {
    name: 'calls at the same time are answered each on its own',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const rows = Array.from({ length: 8 }, (_, i) => i)
        const found = await Promise.all(
          rows.map((i) =>
            compiler
              .check(p(`${'\n'.repeat(i)}decision := undefined_${i}`), BUILD)
              .then(([one]) => one),
          ),
        )
        expect(found.map((one) => one?.row)).toEqual(rows.map((i) => i + 3))
      })
    },
  },
  {
    name: 'a closed compiler answers nothing, whatever was asked before',
    async run(subject) {
      const compiler = await subject.open()
      const pending = [compiler.check(p('decision := 1'), BUILD), compiler.format(p('x:=1'))]
      const settled = Promise.allSettled(pending)
      await compiler.close()
      await compiler.close()
      for (const one of await settled)
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'closed' })
      expect(await refusal(compiler.build(p('decision := 1'), BUILD))).toBe('closed')
      expect(await refusal(compiler.test({}, BUILD))).toBe('closed')
    },
  },
]

export const compilerLaws: readonly Law<CompilerSubject>[] = [
  ...building,
  ...checkingLaws,
  ...testingLaws,
  ...lifecycle,
]

export function compilerConformance(subject: CompilerSubject): void {
  registerLaws('compiler', compilerLaws, subject)
}
