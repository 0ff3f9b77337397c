/**
 * Answers that never change, kept for who asks again. Bounded by two generations: what is asked for moves to the young one, and when that is
 * full the old one is dropped. So what is in use stays, and nobody can fill the memory with what is asked for once.
 */
export class Memo<Answer> {
  readonly #limit: number
  #young = new Map<string, Answer>()
  #old = new Map<string, Answer>()

  /** @param limit answers in each of the two generations */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** What `make` gave for this key, now or earlier; what it throws is not kept. */
  get(key: string, make: () => Answer): Answer {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const answer = this.#old.get(key) ?? make()
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, answer)
    return answer
  }
}
