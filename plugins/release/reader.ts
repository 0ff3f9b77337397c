/** Reads each record once, and none after the caller has given up. */
import { toBase64url } from '../../core/base64.ts'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { KeyScope } from '../../core/ports/custody.ts'
import { pinKey, publicKeyKey, versionKey } from './keys.ts'
import type { KeyRecord, PinRecord, VersionRecord } from './schema.ts'

export class Reader {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal
  readonly #known = new Map<string, Json | undefined>()

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  async pin(keyId: string): Promise<PinRecord | undefined> {
    return (await this.#get(pinKey(keyId))) as PinRecord | undefined
  }

  async key(publicKey: Uint8Array): Promise<KeyRecord | undefined> {
    return (await this.#get(publicKeyKey(publicKey))) as KeyRecord | undefined
  }

  async version(lineage: string, family: string): Promise<VersionRecord | undefined> {
    return (await this.#get(versionKey(lineage, family))) as VersionRecord | undefined
  }

  /** In which `enrolment` has the key, if it has. */
  async scope(publicKey: Uint8Array): Promise<KeyScope | undefined> {
    const sort = `key/${toBase64url(publicKey)}`
    const record = await this.#once(`enrolment ${sort}`, () =>
      this.#read.getFrom('enrolment', sort),
    )
    return (record as { readonly scope: KeyScope } | undefined)?.scope
  }

  #get(sort: string): Promise<Json | undefined> {
    return this.#once(sort, () => this.#read.get(sort))
  }

  async #once(name: string, read: () => Promise<Json | undefined>): Promise<Json | undefined> {
    if (this.#known.has(name)) return this.#known.get(name)
    this.#signal.throwIfAborted()
    const value = await read()
    this.#known.set(name, value)
    return value
  }
}
