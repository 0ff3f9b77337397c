/** What rounds come to. */

/** The middle one, or the mean of the two in the middle. @throws RangeError for none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Nearest rank: the least value that at least `share` of all values do not exceed. @throws RangeError for none */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/** One side for one round. */
export interface Round {
  readonly decisions: number
  readonly wallMs: number
  /** Of the whole process, its helper threads included. */
  readonly cpuMicros: number
  /** Of each decision; none where nobody waits. */
  readonly latenciesMs: readonly number[]
}

/** Medians over rounds. */
export interface Summary {
  readonly decisions: number
  readonly perSecond: number
  readonly cpuMicros: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

export function summarize(rounds: readonly Round[]): Summary {
  const waited = rounds.filter(({ latenciesMs }) => latenciesMs.length > 0)
  const latency = (share: number): number | undefined =>
    waited.length === 0
      ? undefined
      : median(waited.map(({ latenciesMs }) => percentile(latenciesMs, share)))
  return {
    decisions: rounds.reduce((sum, { decisions }) => sum + decisions, 0),
    perSecond: median(rounds.map(({ decisions, wallMs }) => (decisions * 1000) / wallMs)),
    cpuMicros: median(rounds.map(({ decisions, cpuMicros }) => cpuMicros / decisions)),
    p50Ms: latency(0.5),
    p99Ms: latency(0.99),
  }
}
