/** One request as the endpoints see it, whichever platform it came through. */

import type { Peer } from '../../../core/request.ts'
import type { Answer } from './answer.ts'
import { Refusal } from './answer.ts'

export interface Call {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** As it came: the path, still escaped, and the query. */
  readonly target: string
  /** By lower-case name. */
  header(name: string): string | undefined
  /** The whole body. @throws Refusal `too_large` at the first byte over the limit, `aborted` */
  body(): Promise<Uint8Array>
  /** Aborts when the client goes away. May outlive the request. */
  readonly signal: AbortSignal
}

export interface Endpoint {
  readonly method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT'
  /** In the syntax of Hono's router. */
  readonly path: string
  /** False: answered also when the server is full or shutting down. */
  readonly admitted: boolean
  /** `peer`: whom the front authenticated; nothing in the call says who it is. */
  answer(call: Call, peer: Peer): Answer | Promise<Answer>
}

export function tooLarge(maxBodyBytes: number): Refusal {
  return new Refusal('too_large', `a body has at most ${maxBodyBytes} bytes`)
}

/** A standard Request, as Hono hands it over. */
export class WebCall implements Call {
  readonly method: string
  readonly path: string
  readonly #request: Request
  readonly #maxBodyBytes: number

  constructor(request: Request, path: string, maxBodyBytes: number) {
    this.method = request.method
    this.path = path
    this.#request = request
    this.#maxBodyBytes = maxBodyBytes
  }

  get target(): string {
    return this.#request.url.replace(/^[^:]+:\/\/[^/?#]*/, '')
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined
  }

  async body(): Promise<Uint8Array> {
    const max = this.#maxBodyBytes
    if (Number(this.header('content-length')) > max) throw tooLarge(max)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of this.#request.body ?? []) {
      size += chunk.length
      if (size > max) throw tooLarge(max)
      chunks.push(chunk)
    }
    return joined(chunks, size)
  }
}

export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
