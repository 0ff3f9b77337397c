/** A bounded memory of what was compiled: the oldest goes first. A policy's own patterns are few; those in its input may be many. */
export class Cache<T> {
  readonly #known = new Map<string, T>()
  readonly #make: (key: string) => T
  readonly #limit: number

  constructor(limit: number, make: (key: string) => T) {
    this.#limit = limit
    this.#make = make
  }

  get(key: string): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.#make(key)
    if (this.#known.size >= this.#limit) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(key, made)
    return made
  }
}
