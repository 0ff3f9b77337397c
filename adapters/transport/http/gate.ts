/** Admission control: a bounded number of requests under way instead of a queue, and a way to wait for the last of them. */
export class Gate {
  readonly #limit: number
  #inside = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Undefined when the request is in; every one that is in must {@link leave}. */
  enter(): 'closed' | 'overloaded' | undefined {
    if (this.#closed) return 'closed'
    if (this.#inside >= this.#limit) return 'overloaded'
    this.#inside++
    return undefined
  }

  leave(): void {
    this.#inside--
    if (this.#inside === 0) this.#idle?.()
  }

  /** Lets nobody in any more; resolves when the last one has left. */
  close(): Promise<void> {
    this.#closed = true
    return new Promise((resolve) => {
      this.#idle = resolve
      if (this.#inside === 0) resolve()
    })
  }
}
