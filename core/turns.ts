/** One after the other for each name: what comes later sees what the one before it has brought about. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** @throws the signal's reason, when it aborts before the turn has come */
  async take<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const done = Promise.withResolvers<void>()
    const turn = before.then(() => done.promise)
    this.#last.set(name, turn)
    void turn.then(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    })
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      done.resolve()
    }
  }
}

async function unlessAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    await Promise.race([before, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
