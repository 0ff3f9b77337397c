/**
 * `npm run bench [-- decide|http|opa|capability|announce|engine|writers|dynamodb|lambda|all] [--rounds N] [--seconds N] [--warm SECONDS] [--part PARTS]`: measures Assay on
 * one CPU against its own floor and against OPA's server, tokens against bare signatures and biscuit-wasm, what signed messages and floods of
 * others cost, and the engine against the engines of others (`engine/main.ts`); prints the tables that docs/benchmarks.md keeps. Needs Linux with
 * taskset, Go at first for OPA, npm for biscuit-wasm, cedar-wasm and casbin, cargo for regorus and Cedar.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../source.ts'
import type { CapabilityOptions, RevocationResult, TokenResults } from './capability/main.ts'
import { revocationTable, tokenGoals, tokenTable } from './capability/report.ts'
import { measureDynamo } from './dynamodb.ts'
import type { EmbeddedOptions, EmbeddedResult } from './embedded.ts'
import { measureEngines, PARTS } from './engine/main.ts'
import { measureHttp, type Side } from './http.ts'
import { measureLambda } from './lambda.ts'
import { runPinned } from './pinned.ts'
import { embeddedTable, goals, httpTable } from './report.ts'
import { WORKLOAD } from './workload.ts'
import { measureWriters } from './writers.ts'

const IN_FLIGHT = [1, 16, 256]
const CONNECTIONS = [16, 256]
const EMBEDDED_CPU = 0
/** As bin/assay starts its server. */
const SERVE_OPTIONS = ['--max-semi-space-size=64']
/** Of one engine, in every round. */
const TURN_MS = 300
/** Tokens are measured in turns that are long enough for caches to be warm. */
const SLICE_MS = 100
const WARM_SLICE_MS = 600
const WHAT: Readonly<
  Record<
    string,
    {
      readonly announce?: true
      readonly engine?: true
      readonly capability: boolean
      readonly decide: boolean
      readonly dynamodb?: true
      readonly lambda?: true
      readonly sides: readonly Side[]
      readonly writers?: true
    }
  >
> = {
  decide: { capability: false, decide: true, sides: [] },
  http: { capability: false, decide: false, sides: ['assay'] },
  opa: { capability: false, decide: false, sides: ['assay', 'opa'] },
  capability: { capability: true, decide: false, sides: [] },
  announce: { announce: true, capability: false, decide: false, sides: [] },
  engine: { engine: true, capability: false, decide: false, sides: [] },
  /** On all CPUs, and Java's: not among all. */
  writers: { writers: true, capability: false, decide: false, sides: [] },
  dynamodb: { dynamodb: true, capability: false, decide: false, sides: [] },
  lambda: { lambda: true, capability: false, decide: false, sides: [] },
  all: { announce: true, engine: true, capability: true, decide: true, sides: ['assay', 'opa'] },
}

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly warmSeconds: number
  readonly folder: string
}

/** Each store and number in flight in a process of its own, on an empty data folder. */
async function decide(options: Options): Promise<readonly EmbeddedResult[]> {
  const results: EmbeddedResult[] = []
  for (const store of ['sqlite', 'memory'] as const)
    for (const inFlight of IN_FLIGHT) {
      const place = join(options.folder, `${store}-${inFlight}`)
      mkdirSync(place)
      note(`${store}, ${inFlight} in flight`)
      const script = join(root, 'test/bench/embedded.ts')
      const whole: EmbeddedOptions = { ...options, store, inFlight, folder: place }
      const args = [...SERVE_OPTIONS, script, JSON.stringify(whole)]
      const output = await runPinned(EMBEDDED_CPU, process.execPath, args)
      results.push(JSON.parse(output) as EmbeddedResult)
      rmSync(place, { recursive: true })
    }
  return results
}

/** Tokens, and the revocation check on each store, each in a process of its own. */
async function capability({ folder, rounds }: Options): Promise<readonly string[]> {
  const turns = { rounds: 2 * rounds, sliceMs: SLICE_MS, warmMs: WARM_SLICE_MS }
  const measured = async <T>(chosen: CapabilityOptions): Promise<T> => {
    const script = join(root, 'test/bench/capability/main.ts')
    const args = [...SERVE_OPTIONS, script, JSON.stringify(chosen)]
    const output = await runPinned(EMBEDDED_CPU, process.execPath, args)
    return JSON.parse(output.trimEnd().split('\n').at(-1) as string) as T
  }
  note('tokens')
  const tokens = await measured<TokenResults>({ part: 'tokens', ...turns })
  const revocations: RevocationResult[] = []
  for (const store of ['sqlite', 'memory'] as const) {
    note(`revocations, ${store}`)
    revocations.push(await measured({ part: 'revocations', store, folder, ...turns }))
  }
  return [tokenTable(tokens), revocationTable(revocations), tokenGoals(tokens)]
}

/** Signed messages, and floods. */
async function announce({ rounds }: Options): Promise<readonly string[]> {
  note('messages')
  const script = join(root, 'test/bench/announce/main.ts')
  return [(await runPinned(EMBEDDED_CPU, process.execPath, [script, String(rounds)])).trimEnd()]
}

function machine(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain') === '' ? '' : ' with uncommitted changes'
  const [first] = cpus()
  return [
    `workload ${WORKLOAD}, ${new Date().toISOString().slice(0, 10)}`,
    `commit ${git('rev-parse', '--short', 'HEAD')}${changed}`,
    `${first?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, Node ${process.versions.node}`,
  ].join('; ')
}

const note = (text: string): void => console.error(`bench: ${text}`)

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    warm: { type: 'string', default: '10' },
    part: { type: 'string', default: PARTS.join(',') },
  },
})
const what = WHAT[positionals[0] ?? 'all']
if (what === undefined || positionals.length > 1) {
  console.error(
    `usage: npm run bench -- [${Object.keys(WHAT).join('|')}] [--rounds N] [--seconds N] [--warm SECONDS]`,
  )
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
try {
  const options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmSeconds: Number(values.warm),
    folder,
  }
  const embedded = what.decide ? await decide(options) : []
  const { sides } = what
  if (sides.length > 0) note(`over HTTP: ${sides.join(' and ')}`)
  const http =
    sides.length > 0 ? await measureHttp({ ...options, connections: CONNECTIONS, sides }) : []
  const tokens = what.capability ? await capability(options) : []
  const decisions =
    embedded.length + http.length > 0
      ? [embeddedTable(embedded), httpTable(http), goals(embedded, http)]
      : []
  const messages = what.announce ? await announce(options) : []
  const chosen = { folder, milliseconds: TURN_MS, parts: new Set(values.part.split(',')) }
  const engines = what.engine ? await measureEngines({ ...chosen, rounds: options.rounds }) : []
  const writers = what.writers ? [await measureWriters(options)] : []
  const dynamodb = what.dynamodb ? [await measureDynamo(options)] : []
  const lambda = what.lambda ? [await measureLambda(options)] : []
  const parts = [
    machine(),
    ...lambda,
    ...dynamodb,
    ...writers,
    ...decisions,
    ...tokens,
    ...messages,
    ...engines,
  ]
  console.log(parts.filter((part) => part !== '').join('\n\n'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
