/**
 * Assay's server, which logs, seals and proves each decision, against OPA's server, which keeps nothing: the same policies, the same
 * requests, the same client, each server on one CPU and the client on another. Assay finds the facts itself; OPA gets them ready-made.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseAnchor } from '../../core/log/anchor.ts'
import { parseReceipt, verifyReceipt } from '../../core/log/receipt.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { root } from '../source.ts'
import { opaProgram } from '../tools.ts'
import type { Job, Measured } from './client.ts'
import { type PinnedServer, runPinned, servePinned } from './pinned.ts'
import { median } from './stats.ts'
import { assertWorkload, type Case, makeCases, openWorld, seed } from './world.ts'

const SERVER_CPU = 0
const CLIENT_CPU = 1

export interface HttpOptions {
  readonly connections: readonly number[]
  readonly rounds: number
  readonly seconds: number
  /** Before the first round with each number of connections. */
  readonly warmSeconds: number
  readonly folder: string
  /** Which servers take turns. */
  readonly sides: readonly Side[]
}
export type Side = 'assay' | 'opa'
export interface HttpResult {
  readonly side: Side
  readonly connections: number
  readonly decisions: number
  readonly perSecond: number
  /** CPU microseconds of the server's process a decision. */
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Receipts that were verified against the server's trust anchor. */
  readonly verified: number
}

interface Contender {
  readonly side: Side
  readonly server: PinnedServer
  readonly job: Omit<Job, 'connections' | 'ms' | 'warmMs'>
  verify(ids: readonly string[]): Promise<number>
}

export async function measureHttp(options: HttpOptions): Promise<readonly HttpResult[]> {
  const { connections, folder, sides } = options
  const { cases, bundle } = await makeCases(join(folder, 'cases'))
  assertWorkload(cases)
  const contenders: Contender[] = []
  try {
    if (sides.includes('assay')) contenders.push(await startAssay(join(folder, 'assay'), cases))
    if (sides.includes('opa')) contenders.push(await startOpa(join(folder, 'opa'), cases, bundle))
    const results: HttpResult[] = []
    for (const count of connections) results.push(...(await takeTurns(contenders, count, options)))
    return results
  } finally {
    for (const { server } of contenders) await server.stop()
  }
}

async function takeTurns(
  contenders: readonly Contender[],
  connections: number,
  { rounds, seconds, warmSeconds, folder }: HttpOptions,
): Promise<readonly HttpResult[]> {
  const measured = new Map<Side, Measured[]>(contenders.map(({ side }) => [side, []]))
  for (let round = 0; round < rounds; round++)
    for (const { side, job } of contenders) {
      const file = join(folder, 'job.json')
      const warmMs = round === 0 ? warmSeconds * 1000 : seconds * 200
      const whole: Job = { ...job, connections, warmMs, ms: seconds * 1000 }
      await writeFile(file, JSON.stringify(whole))
      const client = join(root, 'test/bench/client.ts')
      const output = await runPinned(CLIENT_CPU, process.execPath, [client, file])
      measured.get(side)?.push(JSON.parse(output) as Measured)
    }
  return Promise.all(
    contenders.map(async ({ side, verify }) => {
      const all = measured.get(side) ?? []
      const verified = await verify(all.flatMap(({ sample }) => sample))
      return { side, connections, ...summary(all), verified }
    }),
  )
}

function summary(all: readonly Measured[]): Omit<HttpResult, 'connections' | 'side' | 'verified'> {
  const of = (value: (one: Measured) => number): number => median(all.map(value))
  return {
    decisions: all.reduce((sum, { decisions }) => sum + decisions, 0),
    perSecond: of(({ decisions, wallMs }) => (decisions * 1000) / wallMs),
    cpuMicros: of(({ decisions, cpuMicros }) => cpuMicros / decisions),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  }
}

async function startAssay(data: string, cases: readonly Case[]): Promise<Contender> {
  const { composed } = await openWorld(data, 'sqlite')
  await seed(composed.kernel).finally(() => composed.close())
  const server = await servePinned(SERVER_CPU, '/health/ready', (port) => [
    join(root, 'bin/assay'),
    ...['serve', '--data', data, '--port', String(port)],
  ])
  const anchor = parseAnchor(await readFile(join(data, 'trust.json')))
  const { port, pid } = server
  return {
    side: 'assay',
    server,
    job: {
      port,
      pid,
      path: '/access/v1/evaluation',
      exchanges: cases.map(({ body, allow }) => ({ body, answer: `"decision":${allow}` })),
      decisionHeader: 'x-decision-id',
    },
    async verify(ids) {
      for (const id of ids) {
        const answer = await fetch(`http://127.0.0.1:${port}/assay/v1/receipts/${id}`)
        const { ok, checks } = verifyReceipt(parseReceipt(await answer.text()), anchor)
        if (!ok) throw new Error(`a receipt does not verify: ${JSON.stringify(checks)}`)
      }
      return ids.length
    },
  }
}

/** The sources that Assay runs, as a bundle folder; no decision log, nothing sent anywhere. */
async function startOpa(
  folder: string,
  cases: readonly Case[],
  { sources, data }: Bundle,
): Promise<Contender> {
  for (const [path, text] of Object.entries({ ...sources, 'data.json': JSON.stringify(data) })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const opa = await opaProgram()
  const server = await servePinned(SERVER_CPU, '/health', (port) => [
    ...[opa, 'run', '--server', '--log-level', 'error', '--skip-version-check'],
    ...['--addr', `127.0.0.1:${port}`, '--bundle', folder],
  ])
  const { port, pid } = server
  return {
    side: 'opa',
    server,
    job: {
      port,
      pid,
      path: '/v1/data/assay/access/decision',
      exchanges: cases.map(({ input, allow }) => ({
        body: `{"input":${input.text}}`,
        answer: `"allow":${allow}`,
      })),
    },
    verify: async () => 0,
  }
}
