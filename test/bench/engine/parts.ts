/** Sizes: of what nobody reads, of data, of the way from bytes to the first decision, of one change among a million entries. */
import { join } from 'node:path'
import { runPinned } from '../pinned.ts'
import { median } from '../stats.ts'
import { type Peer, startPeer } from './peers/process.ts'
import { prepare } from './prepare.ts'
import { micros, table } from './report.ts'
import { abac } from './workloads/abac.ts'
import { WORKLOADS } from './workloads/index.ts'

type Note = (text: string) => void

const CPU = 0
const javascript = join(import.meta.dirname, 'peers/javascript.ts')
const once = join(import.meta.dirname, 'once.ts')
const KB = 1000

/** CPU time of a decision as its question grows by what the policy does not read. */
export async function inputTable(folder: string, note: Note): Promise<string> {
  const kinds = ['jit', 'jit-text', 'opa-wasm', 'opa-wasm-text', 'by-hand']
  const rows: string[][] = []
  for (const size of [0.3, 1, 5, 20, 100]) {
    note(`questions of ${size} KB`)
    const place = join(folder, `input-${size}`)
    await prepare(abac, { scale: 1, questions: 400, shape: 'uniform', bytes: size * KB }, place)
    const peers = await Promise.all(
      kinds.map((kind) => startPeer(kind, CPU, process.execPath, [javascript, kind, place])),
    )
    rows.push([`${size} KB`, ...(await turns(peers)).map(micros)])
    for (const peer of peers) await peer.stop()
  }
  return table(['question', ...kinds.map((kind) => `${kind}, µs`)], rows)
}

/** The least of several turns: what a process does when nobody disturbs it. */
async function turns(peers: readonly Peer[]): Promise<readonly number[]> {
  const best = peers.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < 7; round++)
    for (const [i, peer] of peers.entries()) {
      const { cpuMicros, decisions } = await peer.run(200)
      best[i] = Math.min(best[i]!, cpuMicros / decisions)
    }
  return best
}

async function measured<T>(what: string, kind: string, place: string): Promise<T> {
  const flags = ['--expose-gc', '--max-old-space-size=8192']
  return JSON.parse(
    await runPinned(CPU, process.execPath, [...flags, once, what, kind, place]),
  ) as T
}

export async function dataTable(folder: string, note: Note): Promise<string> {
  const rows: string[][] = []
  for (const scale of [0.1, 1, 10, 100]) {
    const place = join(folder, `data-${scale}`)
    await prepare(abac, { scale, questions: 1000, shape: 'uniform' }, place)
    for (const kind of ['jit', 'opa-wasm']) {
      note(`${kind}, ${scale * 10}k entries`)
      const {
        held,
        loadMs,
        micros: each,
        text,
      } = await measured<{ held: number; loadMs: number; micros: number; text: number }>(
        'load',
        kind,
        place,
      )
      const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
      rows.push([
        `${scale * 10}k`,
        kind,
        megabytes(text),
        megabytes(held),
        `${(held / text).toFixed(2)}×`,
        `${loadMs.toFixed(0)} ms`,
        `${micros(each)} µs`,
      ])
    }
  }
  return table(
    ['entries', 'engine', 'JSON', 'memory', 'of the JSON', 'bytes to first decision', 'decision'],
    rows,
  )
}

export async function coldTable(folder: string, note: Note): Promise<string> {
  const rows: string[][] = []
  for (const workload of WORKLOADS) {
    note(`cold start of ${workload.name}`)
    const place = join(folder, `cold-${workload.name}`)
    await prepare(workload, { scale: 1, questions: 10, shape: 'uniform' }, place)
    const took: Record<string, { cpu: number[]; wall: number[] }> = {
      jit: { cpu: [], wall: [] },
      'opa-wasm': { cpu: [], wall: [] },
    }
    for (let i = 0; i < 9; i++)
      for (const [kind, all] of Object.entries(took)) {
        const { cpuMs, wallMs } = await measured<{ cpuMs: number; wallMs: number }>(
          'cold',
          kind,
          place,
        )
        all.cpu.push(cpuMs)
        all.wall.push(wallMs)
      }
    const [ours, theirs] = [took.jit!, took['opa-wasm']!]
    const pair = (of: 'cpu' | 'wall'): string =>
      `${((100 * median(ours[of])) / median(theirs[of])).toFixed(0)}% (${median(ours[of]).toFixed(1)} of ${median(theirs[of]).toFixed(1)} ms)`
    rows.push([workload.name, pair('wall'), pair('cpu')])
  }
  return table(['bytes to first decision, jit of opa-wasm', 'clock', 'CPU'], rows)
}

export async function patchTable(folder: string, note: Note): Promise<string> {
  const rows: string[][] = []
  for (const scale of [1, 100]) {
    note(`one change among ${scale * 10}k entries`)
    const place = join(folder, `patch-${scale}`)
    await prepare(abac, { scale, questions: 1000, shape: 'uniform' }, place)
    const { maxMs, p50Ms, p99Ms } = await measured<{ p50Ms: number; p99Ms: number; maxMs: number }>(
      'patch',
      'jit',
      place,
    )
    rows.push([`${scale * 10}k`, ...[p50Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(3)} ms`)])
  }
  return table(['one entry changed, and the next decision', 'p50', 'p99', 'max'], rows)
}
