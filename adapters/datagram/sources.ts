/**
 * How much is heard of whom, in memory of a fixed size however many addresses send: a table of buckets that addresses share by hash, and an
 * exact one for the few who lately sent something that counts. A flood from everywhere fills the table and takes nothing from the few.
 *
 * Each bucket is one number, the time at which it is full again (the generic cell rate algorithm, ITU-T I.371, annex A).
 */
export interface Allowance {
  /** In the long run. */
  readonly perSecond: number
  readonly burst: number
}
export interface SourceLimits {
  /** Of an address that lately sent something that counts. */
  readonly known: Allowance
  /** Of any other address. */
  readonly unknown: Allowance
  /** Of all other addresses together: what a flood may cost. */
  readonly together: Allowance
  /** What a message that does not count takes from its address, in messages. */
  readonly penalty: number
}

/** Addresses that share the table; a power of two. */
const BUCKETS = 65_536
const MOST_KNOWN = 1024
/** FNV-1a, 32 bits. */
const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

export class SourceTable {
  readonly #limits: SourceLimits
  readonly #seed: number
  readonly #buckets = new Float64Array(BUCKETS)
  /** When each is full again; who was heard longest ago comes first. */
  readonly #known = new Map<string, number>()
  #together = 0

  /** @param seed random, so that nobody chooses whose bucket they share */
  constructor(limits: SourceLimits, seed: number) {
    this.#limits = limits
    this.#seed = seed
  }

  /** Whether a message of this address may be looked at. Takes one message from its allowance. @param now milliseconds that never go back */
  hear(source: string, now: number): boolean {
    const { known, together, unknown } = this.#limits
    const fullAt = this.#known.get(source)
    if (fullAt !== undefined) {
      const next = taken(fullAt, known, now)
      if (next !== undefined) this.#known.set(source, next)
      return next !== undefined
    }
    const bucket = this.#bucketOf(source)
    const own = taken(this.#buckets[bucket] as number, unknown, now)
    if (own === undefined) return false
    const shared = taken(this.#together, together, now)
    if (shared === undefined) return false
    this.#buckets[bucket] = own
    this.#together = shared
    return true
  }

  /** It sent something that counts. */
  good(source: string, now: number): void {
    const fullAt = this.#known.get(source) ?? now
    this.#known.delete(source)
    this.#known.set(source, fullAt)
    if (this.#known.size <= MOST_KNOWN) return
    const [first] = this.#known.keys()
    this.#known.delete(first as string)
  }

  /** It sent something that does not: whoever keeps on is not heard for a while. */
  bad(source: string, now: number): void {
    const { known, penalty, unknown } = this.#limits
    const fullAt = this.#known.get(source)
    if (fullAt !== undefined) {
      this.#known.set(source, Math.max(fullAt, now) + (penalty * 1000) / known.perSecond)
      return
    }
    const bucket = this.#bucketOf(source)
    const before = Math.max(this.#buckets[bucket] as number, now)
    this.#buckets[bucket] = before + (penalty * 1000) / unknown.perSecond
  }

  #bucketOf(source: string): number {
    let hash = OFFSET ^ this.#seed
    for (let i = 0; i < source.length; i++) hash = Math.imul(hash ^ source.charCodeAt(i), PRIME)
    return (hash ^ (hash >>> 15)) & (BUCKETS - 1)
  }
}

/** When the bucket is full again after one message more; undefined when it has none left. */
function taken(fullAt: number, { burst, perSecond }: Allowance, now: number): number | undefined {
  const stepMs = 1000 / perSecond
  const next = Math.max(fullAt, now) + stepMs
  return next - now <= burst * stepMs ? next : undefined
}
