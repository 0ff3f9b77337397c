/** So many at the same time; the rest wait in their order. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves to what gives the place to the next one, or to undefined when none was free for `ms` milliseconds. */
  async enter(ms: number): Promise<(() => void) | undefined> {
    if (this.#free > 0) this.#free -= 1
    else if (!(await this.#turn(ms))) return undefined
    return () => this.#leave()
  }

  #turn(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const enter = (): void => end(true)
      const timer = setTimeout(() => end(false), Math.max(0, ms))
      const end = (entered: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(enter)
        resolve(entered)
      }
      this.#waiting.add(enter)
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next) next()
    else this.#free += 1
  }
}
