/**
 * What was decided on lately, by its signature: nobody but the signer makes another message with that one. Two generations of a fixed size;
 * who is asked about again moves to the young one.
 */

/** Of one generation. */
const MOST = 8192

export class Copies {
  #young = new Set<string>()
  #old = new Set<string>()

  has(signature: string): boolean {
    if (this.#young.has(signature)) return true
    if (!this.#old.has(signature)) return false
    this.add(signature)
    return true
  }

  add(signature: string): void {
    if (this.#young.size >= MOST) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(signature)
  }
}
