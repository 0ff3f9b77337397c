/** Records as one request reads them: each once, and none after the signal has aborted. */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { CallerReads } from '../../formats/call/index.ts'
import { ANNOUNCE } from './keys.ts'

export class Records implements CallerReads {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal
  readonly #own = new Map<string, Promise<Json | undefined>>()
  readonly #revoked = new Map<string, Promise<Json | undefined>>()

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  own(sort: string): Promise<Json | undefined> {
    this.#signal.throwIfAborted()
    const record = this.#own.get(sort) ?? this.#read.get(sort)
    this.#own.set(sort, record)
    return record
  }

  /** Asked for once each. */
  foreign(plugin: string, sort: string): Promise<Json | undefined> {
    this.#signal.throwIfAborted()
    return this.#read.getFrom(plugin, sort)
  }

  cell(sort: string): Promise<Json | undefined> {
    return this.own(sort)
  }

  nonces(sort: string): Promise<Json | undefined> {
    return this.own(sort)
  }

  revoked(sort: string): Promise<Json | undefined> {
    const record = this.#revoked.get(sort) ?? this.foreign(ANNOUNCE, sort)
    this.#revoked.set(sort, record)
    return record
  }
}
