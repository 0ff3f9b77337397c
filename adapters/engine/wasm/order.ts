/** Sets and objects of a module in Rego's order, as OPA's evaluator goes through them. */
import { PolicyAbort } from './abort.ts'
import type { Ordering } from './reroute.ts'

/** From the address of each key to that of the one after it; from zero to the first, from the last to zero. */
type Way = ReadonlyMap<number, number>

export class Order {
  readonly #module: Ordering
  /** By the container's address. */
  readonly #data = new Map<number, Way>()
  readonly #others = new Map<number, Way>()
  #dataEnd = 0

  constructor(module: Ordering) {
    this.#module = module
  }

  /** Of an evaluation: other containers come to lie where those of the last one were, beyond the data, which stays what it is. */
  begin(dataEnd: number): void {
    this.#dataEnd = dataEnd
    this.#others.clear()
  }

  /** The address of the key after the one at `previous`, or of the first after zero. Zero: there is none. */
  next(container: number, previous: number): number {
    const ways = container < this.#dataEnd ? this.#data : this.#others
    let way = ways.get(container)
    // Whoever begins again may have changed the container meanwhile, unless it is data.
    if (way === undefined || (previous === 0 && ways === this.#others)) {
      way = this.#way(container)
      ways.set(container, way)
    }
    const next = way.get(previous)
    if (next === undefined) throw new PolicyAbort('a container changed while it was gone through')
    return next
  }

  #way(container: number): Way {
    const { assay_compare, assay_next } = this.#module
    const keys: number[] = []
    for (let key = assay_next(container, 0); key !== 0; key = assay_next(container, key))
      keys.push(key)
    if (keys.length > 1) keys.sort(assay_compare)
    const way = new Map<number, number>()
    let last = 0
    for (const key of keys) {
      way.set(last, key)
      last = key
    }
    return way.set(last, 0)
  }
}
