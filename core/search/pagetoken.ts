/**
 * Where a search goes on, in the caller's hands: sealed with AES-256-GCM, so that a token can be neither made nor changed, and the cursor
 * in it, which may name what the caller may not see, cannot be read. Bound to the search, who asks, and the policy.
 *
 * @see NIST SP 800-38D; the random 96-bit nonces allow 2^32 tokens under one key
 */
import { fromBase64url, randomBytes, sha256Text, toBase64url } from '../crypto.ts'
import { PARTITION } from '../decision.ts'
import { NoDecision } from '../error.ts'
import type { Json } from '../json.ts'
import type { Key, Store } from '../ports/store.ts'

/** What a token carries. */
export interface Place {
  readonly cursor: string
  readonly limit: number
}

const KEY: Key = { partition: PARTITION.kernel, sort: 'page-token-key' }
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const AES = 'AES-GCM'
const MAX_TOKEN = 4096

export class PageTokens {
  readonly #store: Store
  #key: Promise<CryptoKey> | undefined
  constructor(store: Store) {
    this.#store = store
  }

  async seal(place: Place, boundTo: Json): Promise<string> {
    const nonce = Uint8Array.from(randomBytes(NONCE_BYTES))
    const plain = encoder.encode(JSON.stringify([place.cursor, place.limit]))
    const sealed = await subtle().encrypt(parameters(nonce, boundTo), await this.#open(), plain)
    const token = new Uint8Array(NONCE_BYTES + sealed.byteLength)
    token.set(nonce)
    token.set(new Uint8Array(sealed), NONCE_BYTES)
    return toBase64url(token)
  }

  /** @throws NoDecision `invalid_page_token`: nobody sealed it, or for something else */
  async unseal(token: string, boundTo: Json): Promise<Place> {
    const bytes = token.length <= MAX_TOKEN ? fromBase64url(token) : undefined
    if (!bytes || bytes.length <= NONCE_BYTES + TAG_BYTES) throw foreign()
    const key = await this.#open()
    const nonce = bytes.slice(0, NONCE_BYTES)
    const sealed = bytes.slice(NONCE_BYTES)
    const plain = await subtle()
      .decrypt(parameters(nonce, boundTo), key, sealed)
      .catch(() => {
        throw foreign()
      })
    const [cursor, limit] = JSON.parse(decoder.decode(plain)) as [string, number]
    return { cursor, limit }
  }

  /** The key outlives the process; a store that fails is asked again with the next token. */
  #open(): Promise<CryptoKey> {
    this.#key ??= this.#load().catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async #load(): Promise<CryptoKey> {
    let stored = await this.#store.get(KEY)
    if (!stored) {
      await this.#store.commit([
        { writes: [{ put: KEY, value: randomBytes(KEY_BYTES), if: 'absent' }] },
      ])
      // Somebody else's, where two began at the same time.
      stored = await this.#store.get(KEY)
    }
    if (!stored)
      throw new NoDecision('unavailable', 'the store did not keep the key of page tokens')
    const raw = Uint8Array.from(stored.value)
    return subtle().importKey('raw', raw, AES, false, ['decrypt', 'encrypt'])
  }
}
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const subtle = (): SubtleCrypto => globalThis.crypto.subtle

function parameters(iv: Uint8Array<ArrayBuffer>, boundTo: Json): AesGcmParams {
  const additionalData = Uint8Array.from(sha256Text(JSON.stringify(boundTo)))
  return { name: AES, iv, additionalData, tagLength: TAG_BYTES * 8 }
}

const foreign = (): NoDecision =>
  new NoDecision('invalid_page_token', 'it is not of this search; start over')
