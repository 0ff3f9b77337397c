/** Sweeps at intervals, never two at a time. */
export interface Sweeper {
  /** At once, or the result of the one that is under way. */
  sweep(): Promise<number>
  close(): Promise<void>
}
export interface SweepOptions {
  readonly everyMs: number
  /** A sweep that failed begins again with the next interval. */
  readonly onError?: (error: unknown) => void
}

export function keepSweeping(
  work: (signal: AbortSignal) => Promise<number>,
  { everyMs, onError = () => undefined }: SweepOptions,
): Sweeper {
  const stop = new AbortController()
  let sweeping: Promise<number> | undefined
  const sweep = (): Promise<number> => {
    sweeping ??= work(stop.signal).finally(() => {
      sweeping = undefined
    })
    return sweeping
  }
  const timer = setInterval(() => void sweep().catch(onError), everyMs)
  timer.unref()
  return {
    sweep,
    async close() {
      clearInterval(timer)
      stop.abort()
      await sweeping?.catch(() => undefined)
    },
  }
}
