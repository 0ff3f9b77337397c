/** What a transport hands to the kernel: a frame under limits. The payload stays opaque until a plugin has verified it. */
import { NoDecision } from './error.ts'
import { type Json, parseJson } from './json.ts'

/** Who calls, as the transport established it; never from the body. `anonymous` where authentication is `none`. */
export interface Peer {
  /** `anonymous`, `embedded` (the process itself), `operator` (who holds the data folder), or what the transport authenticates. */
  readonly kind: string
  readonly id: string
}

/** Bytes that nobody but the action's plugin reads. */
export class Payload {
  readonly text: string
  #bytes: Uint8Array | undefined
  #json: Json | undefined

  private constructor(text: string, bytes?: Uint8Array, json?: Json) {
    this.text = text
    this.#bytes = bytes
    this.#json = json
  }

  /** As they came: what a plugin verifies signatures over. */
  get bytes(): Uint8Array {
    this.#bytes ??= encoder.encode(this.text)
    return this.#bytes
  }

  /** @throws NoDecision `malformed` when the bytes are not UTF-8; binary payloads travel as base64url text. */
  static fromBytes(bytes: Uint8Array): Payload {
    try {
      return new Payload(decoder.decode(bytes), bytes)
    } catch {
      throw new NoDecision(
        'malformed',
        'the payload is not UTF-8; send binary payloads as base64url text',
      )
    }
  }

  /** A snapshot of plain data: what the caller changes later does not reach the decision. */
  static fromJson(value: unknown): Payload {
    const text = JSON.stringify(value)
    if (text === undefined) throw new NoDecision('malformed', 'the payload is not a JSON value')
    return new Payload(text)
  }

  /** Of strict JSON that nobody else holds, such as a frame's: it is not parsed again. */
  static fromParsed(value: Json): Payload {
    return new Payload(JSON.stringify(value), undefined, value)
  }

  /** Strict JSON, parsed once. @throws JsonError; a plugin reports that as a fact. */
  json(): Json {
    this.#json ??= parseJson(this.text)
    return this.#json
  }
}
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One request for a decision, as plugins see it. */
export interface Request {
  readonly action: string
  readonly payload: Payload
  readonly peer: Peer
  /** Obligation types that the caller can carry out; a verdict with another obligation is a deny. */
  readonly obligations: readonly string[]
}
