/**
 * The engines on one question after the other, each in a process of its own on one CPU, one at a time, in another order each round. Before
 * anything is timed, all of them give the same decisions.
 */
import { join } from 'node:path'
import { between, seeded } from '../../crash/random.ts'
import { opaProgram } from '../../tools.ts'
import { servePinned } from '../pinned.ts'
import { median } from '../stats.ts'
import { coldTable, dataTable, inputTable, patchTable } from './parts.ts'
import { type Peer, startPeer } from './peers/process.ts'
import { prepare, type Variant } from './prepare.ts'
import { opaPeer, rustPeers } from './programs.ts'
import { goals, type Measured, peerTable } from './report.ts'
import { WORKLOADS } from './workloads/index.ts'
import type { Workload } from './workloads/workload.ts'

const CPU = 0
const SERVER_CPU = 1
const CHECKED = 1000
const QUESTIONS = 4000
const javascript = join(import.meta.dirname, 'peers/javascript.ts')

/** Which engines can do what. */
const KINDS: readonly {
  readonly name: string
  readonly of: 'cedar' | 'go' | 'js' | 'regorus' | 'server'
  readonly only?: readonly string[]
}[] = [
  { name: 'by-hand', of: 'js' },
  { name: 'jit', of: 'js' },
  { name: 'jit-checked', of: 'js' },
  { name: 'jit-text', of: 'js' },
  { name: 'wasm', of: 'js' },
  { name: 'opa-wasm', of: 'js' },
  { name: 'opa-wasm-text', of: 'js' },
  { name: 'regorus', of: 'regorus' },
  { name: 'regorus-text', of: 'regorus' },
  { name: 'opa', of: 'go' },
  { name: 'opa-map', of: 'go' },
  { name: 'opa-server', of: 'server' },
  { name: 'cedar', of: 'cedar', only: ['rbac', 'abac'] },
  { name: 'cedar-json', of: 'cedar', only: ['rbac', 'abac'] },
  { name: 'cedar-wasm', of: 'js', only: ['rbac', 'abac'] },
  { name: 'casbin', of: 'js', only: ['rbac'] },
]

const note = (text: string): void => console.error(`bench: ${text}`)

interface Started {
  readonly peer: Peer
  stop(): Promise<void>
}

async function start(
  kind: (typeof KINDS)[number],
  folder: string,
  programs: { readonly go: string; readonly rust: string },
): Promise<Started> {
  const { name, of } = kind
  if (of === 'go') return plain(await startPeer(name, CPU, programs.go, [name, folder]))
  if (of === 'regorus' || of === 'cedar')
    return plain(await startPeer(name, CPU, programs.rust, [name, folder]))
  if (of === 'js')
    return plain(await startPeer(name, CPU, process.execPath, [javascript, name, folder]))
  const opa = await opaProgram()
  const files = [join(folder, 'policy.rego'), join(folder, 'data.json')]
  const server = await servePinned(SERVER_CPU, '/health', (port) => [
    opa,
    'run',
    '--server',
    '--log-level=error',
    '--addr',
    `127.0.0.1:${port}`,
    ...files,
  ])
  const peer = await startPeer(name, CPU, process.execPath, [
    javascript,
    name,
    folder,
    String(server.port),
  ])
  return {
    peer,
    async stop() {
      await peer.stop()
      await server.stop()
    },
  }
}
const plain = (peer: Peer): Started => ({ peer, stop: () => peer.stop() })

async function measure(
  workload: Workload,
  variant: Variant,
  options: { readonly folder: string; readonly ms: number; readonly rounds: number },
): Promise<readonly Measured[]> {
  const place = join(options.folder, `${workload.name}-${variant.shape}`)
  await prepare(workload, variant, place)
  const programs = { go: await opaPeer(), rust: await rustPeers() }
  // Shapes mean nothing to engines that read their own form of a question.
  const able = KINDS.filter(
    ({ of, only }) =>
      only?.includes(workload.name) !== false && (variant.shape === 'uniform' || of !== 'cedar'),
  )
  const started: Started[] = []
  try {
    for (const kind of able) started.push(await start(kind, place, programs))
    const reference = await started.find(({ peer }) => peer.name === 'opa')!.peer.decide(CHECKED)
    for (const { peer } of started)
      if ((await peer.decide(CHECKED)) !== reference)
        throw new Error(`${peer.name} decides otherwise than OPA on ${workload.name}`)
    return await inTurns(started, workload, variant, options)
  } finally {
    for (const { stop } of started) await stop()
  }
}

/** One warm round that does not count. */
async function inTurns(
  started: readonly Started[],
  workload: Workload,
  { shape }: Variant,
  { ms, rounds }: { readonly ms: number; readonly rounds: number },
): Promise<readonly Measured[]> {
  const random = seeded(31)
  const cpu = new Map<string, number[]>()
  const wall = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round++) {
    note(`${workload.name}, ${shape}, round ${round} of ${rounds}`)
    const order = [...started]
    for (let i = order.length - 1; i > 0; i--) {
      const j = between(random, 0, i)
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    for (const { peer } of order) {
      const turn = await peer.run(ms)
      if (round === 0) continue
      cpu.set(peer.name, [...(cpu.get(peer.name) ?? []), turn.cpuMicros / turn.decisions])
      wall.set(peer.name, [...(wall.get(peer.name) ?? []), turn.wallMicros / turn.decisions])
    }
  }
  return started.map(({ peer: { name } }) => ({
    name,
    workload: workload.name,
    shape,
    cpuMicros: median(cpu.get(name)!),
    wallMicros: median(wall.get(name)!),
  }))
}

export interface EngineOptions {
  readonly folder: string
  readonly rounds: number
  /** Of one turn of one engine. */
  readonly milliseconds: number
  readonly parts: ReadonlySet<string>
}

/** Every part of the measurements, in the order of the page. */
export const PARTS = ['peers', 'input', 'data', 'cold', 'patch'] as const

export async function measureEngines({
  folder,
  milliseconds,
  parts,
  rounds,
}: EngineOptions): Promise<readonly string[]> {
  const told: string[] = []
  if (parts.has('peers')) {
    const measured: Measured[] = []
    for (const workload of WORKLOADS)
      for (const shape of ['uniform', 'mixed'] as const) {
        const variant: Variant = { scale: 1, questions: QUESTIONS, shape, foreign: true }
        measured.push(...(await measure(workload, variant, { folder, ms: milliseconds, rounds })))
      }
    told.push(peerTable(measured), goals(measured))
  }
  if (parts.has('input')) told.push(await inputTable(folder, note))
  if (parts.has('data')) told.push(await dataTable(folder, note))
  if (parts.has('cold')) told.push(await coldTable(folder, note))
  if (parts.has('patch')) told.push(await patchTable(folder, note))
  return told
}
