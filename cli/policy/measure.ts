/** How fast an engine answers questions: each engine in turn within a round, so that whatever else the machine does hits them alike. */
import type { Policy, PolicyInput } from '../../core/ports/engine.ts'

export interface Measured {
  readonly engine: string
  readonly evaluations: number
  readonly perSecond: number
  /** Microseconds of one evaluation. */
  readonly p50: number
  readonly p99: number
}
export interface Runner {
  readonly engine: string
  readonly policy: Policy
}

const ROUND_MS = 50

/** @param seconds for each runner */
export async function measure(
  runners: readonly Runner[],
  entrypoint: string,
  inputs: readonly PolicyInput[],
  seconds: number,
): Promise<readonly Measured[]> {
  const rows = runners.map((runner) => ({ ...runner, next: 0, times: [] as number[] }))
  // The first round is for the compilers below us.
  for (let round = -1; round * ROUND_MS < seconds * 1000; round++)
    for (const row of rows) {
      const times = await oneRound(row.policy, entrypoint, inputs, row.next)
      row.next += times.length
      // Not spread into push: a round may have more calls than a call has arguments.
      if (round >= 0) for (const time of times) row.times.push(time)
    }
  return rows.map(({ engine, times }) => summary(engine, times))
}

/** Microseconds of each evaluation. */
async function oneRound(
  policy: Policy,
  entrypoint: string,
  inputs: readonly PolicyInput[],
  first: number,
): Promise<readonly number[]> {
  const times: number[] = []
  const end = performance.now() + ROUND_MS
  for (let at = first, now = performance.now(); now < end; at++) {
    const answer = policy.evaluate(entrypoint, inputs[at % inputs.length]!)
    if (answer instanceof Promise) await answer
    const then = performance.now()
    times.push((then - now) * 1000)
    now = then
  }
  return times
}

function summary(engine: string, times: readonly number[]): Measured {
  const sorted = Float64Array.from(times).sort()
  const total = sorted.reduce((sum, time) => sum + time, 0)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return {
    engine,
    evaluations: sorted.length,
    perSecond: Math.round((sorted.length / total) * 1_000_000),
    p50: rounded(at(0.5)),
    p99: rounded(at(0.99)),
  }
}

function rounded(microseconds: number): number {
  return Number(microseconds.toPrecision(3))
}
