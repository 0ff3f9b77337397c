/**
 * A server under mixed load for as long as one likes, its policy swapped all the while: memory and open files, measured from outside, have
 * to be flat after the first quarter.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../crash/random.ts'
import { openConfig } from '../crash/rounds.ts'
import { type Holding, holdingOf } from '../hostile/process.ts'
import { assay, Server } from '../server.ts'
import { keepAsking, type Tally } from './mixed.ts'

export interface SteadyOptions {
  readonly seconds: number
  readonly seed: number
  readonly clients?: number
  /** Of each client, between two requests. */
  readonly pauseMs?: number
  progress?(line: string): void
}
export interface Sample extends Holding {
  /** Seconds since the start. */
  readonly at: number
}
export interface SteadyReport {
  readonly answered: number
  readonly decided: number
  /** Policies that the server says it changed to. */
  readonly swaps: number
  readonly unexpected: Readonly<Record<string, number>>
  /** Medians of the second quarter and of the last one. */
  readonly rssMiB: readonly [number, number]
  readonly files: readonly [number, number]
  /** Least squares over all but the first quarter. */
  readonly rssMiBPerHour: number
  readonly fsck: string
}

const SAMPLES = 120
const SWAPS = 20

export async function steady(options: SteadyOptions): Promise<SteadyReport> {
  const { clients = 4, pauseMs = 4, seconds, seed } = options
  const folder = mkdtempSync(join(tmpdir(), 'assay-steady-'))
  const config = openConfig(folder)
  const written = JSON.parse(readFileSync(config, 'utf8'))
  written.policies.watch = true
  writeFileSync(config, JSON.stringify(written))
  const data = join(folder, 'data')
  const server = new Server({ data, config })
  const url = await server.ready
  const tally: Tally = { answered: 0, decided: 0, unexpected: new Map() }
  let over = false
  const load = { pauseMs, stopped: () => over }
  const asking = Array.from({ length: clients }, (_, i) =>
    keepAsking(url, seeded(seed + i), tally, load),
  )
  try {
    const swapping = keepSwapping(folder, seconds, () => over)
    const samples = await watch(server.pid as number, options)
    over = true
    await Promise.all(asking)
    await swapping
    const code = await server.stop()
    if (code !== 0) throw new Error(`a clean stop ended with ${code}:\n${server.output}`)
    const fsck = await assay('fsck', '--data', data, '--trust', join(data, 'trust.json'))
    return {
      ...tally,
      ...slopes(samples),
      swaps: server.output.match(/^policy changed/gm)?.length ?? 0,
      unexpected: Object.fromEntries(tally.unexpected),
      fsck: fsck.output.trim(),
    }
  } finally {
    over = true
    await server.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Two versions of one file, by turns. */
async function keepSwapping(
  folder: string,
  seconds: number,
  stopped: () => boolean,
): Promise<void> {
  const file = join(folder, 'policies', 'access', 'data.json')
  const first = readFileSync(file, 'utf8')
  const second = JSON.stringify({ ...JSON.parse(first), soak: true })
  for (let swap = 0; !stopped(); swap++) {
    await sleep((seconds * 1000) / SWAPS)
    if (!stopped()) writeFileSync(file, swap % 2 === 0 ? second : first)
  }
}

async function watch(
  pid: number,
  { progress, seconds }: SteadyOptions,
): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  const began = performance.now()
  for (;;) {
    const at = (performance.now() - began) / 1000
    if (at >= seconds) return samples
    const sample = { at, ...holdingOf(pid) }
    samples.push(sample)
    progress?.(JSON.stringify(sample))
    await sleep((seconds * 1000) / SAMPLES)
  }
}

function slopes(
  samples: readonly Sample[],
): Pick<SteadyReport, 'files' | 'rssMiB' | 'rssMiBPerHour'> {
  const quarter = Math.floor(samples.length / 4)
  const second = samples.slice(quarter, 2 * quarter)
  const last = samples.slice(-quarter)
  const medians = (member: 'files' | 'rssMiB'): [number, number] => [
    median(second.map((sample) => sample[member])),
    median(last.map((sample) => sample[member])),
  ]
  const warm = samples.slice(quarter)
  const meanAt = mean(warm.map(({ at }) => at))
  const meanRss = mean(warm.map(({ rssMiB }) => rssMiB))
  const covariance = mean(warm.map(({ at, rssMiB }) => (at - meanAt) * (rssMiB - meanRss)))
  const variance = mean(warm.map(({ at }) => (at - meanAt) ** 2))
  const rssMiBPerHour = Math.round((covariance / variance) * 3600)
  return { files: medians('files'), rssMiB: medians('rssMiB'), rssMiBPerHour }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
