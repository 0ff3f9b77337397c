/** Invocations under way, and the end of the last one. Lambda gives an environment one at a time; what an extension serves may be several. */
export class Turns {
  #inside = 0
  #idle: (() => void)[] = []
  closed = false

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#inside++
    try {
      return await work()
    } finally {
      this.#inside--
      if (this.#inside === 0) for (const idle of this.#idle.splice(0)) idle()
    }
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.closed = true
    if (this.#inside === 0) return
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve)
    })
  }
}
