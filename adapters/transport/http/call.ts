/** One request as the endpoints see it, whichever platform it came through. */

import type { IncomingMessage } from 'node:http'
import type { Peer } from '../../../core/request.ts'
import type { Answer } from './answer.ts'
import { Refusal } from './answer.ts'
import { type Connection, connectionOf } from './connection.ts'

/** The other end of the connection: nothing of it is from the request. */
export type Remote = Pick<Connection, 'address' | 'certificate'>

export interface Call {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** As it came: the path, still escaped, and the query. */
  readonly target: string
  /** By lower-case name. */
  header(name: string): string | undefined
  /** Every line that this header came in, for what must not be joined or chosen from. */
  lines(name: string): readonly string[]
  /** Undefined where the platform knows no connections. */
  readonly remote: Remote | undefined
  /** Whom the platform authenticated itself, before it made a request of it. */
  readonly platformPeer?: Peer | undefined
  /** The whole body. @throws Refusal `too_large` at the first byte over the limit, `aborted` */
  body(): Promise<Uint8Array>
  /** Aborts when the client goes away. May outlive the request. */
  readonly signal: AbortSignal
}

/** Endpoints that can be open to everybody: they decide nothing, and what they show is made to be published or to be polled. */
export type OpenGroup = 'health' | 'log' | 'metadata' | 'metrics'

export interface Endpoint {
  readonly method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT'
  /** In the syntax of Hono's router. */
  readonly path: string
  /** False: answered also when the server is full or shutting down. */
  readonly admitted: boolean
  /** What it belongs to where that may be read without authentication. Default: nobody gets in who is not identified. */
  readonly open?: OpenGroup | 'always'
  /** `peer`: whom the front authenticated; nothing in the call says who it is. */
  answer(call: Call, peer: Peer): Answer | Promise<Answer>
}

export function tooLarge(maxBodyBytes: number): Refusal {
  return new Refusal('too_large', `a body has at most ${maxBodyBytes} bytes`)
}

/** What the platform says beside a request: the environment of Hono's `fetch`. */
export interface Underneath {
  /** Where the platform is Node's HTTP server: what it made the request of. */
  readonly incoming?: IncomingMessage
  /** Whom the platform authenticated itself. */
  readonly peer?: Peer
}

/** A standard Request, as Hono hands it over. */
export class WebCall implements Call {
  readonly method: string
  readonly path: string
  readonly #request: Request
  readonly #maxBodyBytes: number

  readonly #incoming: IncomingMessage | undefined
  readonly platformPeer: Peer | undefined

  constructor(request: Request, path: string, maxBodyBytes: number, under: Underneath = {}) {
    this.#incoming = under.incoming
    this.platformPeer = under.peer
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

  lines(name: string): readonly string[] {
    if (this.#incoming !== undefined) return this.#incoming.headersDistinct[name] ?? []
    const joined = this.header(name)
    return joined === undefined ? [] : [joined]
  }

  get remote(): Remote | undefined {
    return this.#incoming && connectionOf(this.#incoming.socket)
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
