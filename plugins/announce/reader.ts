/** Guarded reads of one decision: each record once, one after the other, none after the caller gave up. */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'

/** What is read of the plugin `enrolment`. */
const ENROLMENT = 'enrolment'

export class Reader {
  readonly #read: Pick<ReadPorts, 'get' | 'getFrom'>
  readonly #signal: AbortSignal | undefined
  readonly #known = new Map<string, Json | undefined>()

  constructor(read: Pick<ReadPorts, 'get' | 'getFrom'>, signal?: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  own<T>(sort: string): Promise<T | undefined> {
    return this.#once(sort, () => this.#read.get(sort)) as Promise<T | undefined>
  }

  enrolled<T>(sort: string): Promise<T | undefined> {
    const read = () => this.#read.getFrom(ENROLMENT, sort)
    return this.#once(`${ENROLMENT}#${sort}`, read) as Promise<T | undefined>
  }

  async #once(name: string, read: () => Promise<Json | undefined>): Promise<Json | undefined> {
    this.#signal?.throwIfAborted()
    if (!this.#known.has(name)) this.#known.set(name, await read())
    return this.#known.get(name)
  }
}
