/** What is known of one connection: all requests on it have the same client. */
import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Refusal } from './answer.ts'

/** `unverified`: the client showed a certificate that no root of this server stands behind (any more). */
export type ClientCertificate = X509Certificate | 'unverified' | undefined

export class Connection {
  readonly #socket: Socket
  readonly #controller = new AbortController()
  readonly signal: AbortSignal = this.#controller.signal
  /** Requests of the lane that arrived whole and are not answered yet. */
  deciding = 0
  /** Requests of the app that are not answered yet. */
  readonly #asked = new Set<IncomingMessage>()
  #certificate: ClientCertificate | 'unread' = 'unread'

  constructor(socket: Socket) {
    this.#socket = socket
    socket.once('close', () => this.#controller.abort(GONE))
  }

  /** Whether what is written now, and is no answer, would be taken for the answer to a request that arrived whole. */
  get isDeciding(): boolean {
    return this.deciding > 0 || [...this.#asked].some(({ complete }) => complete)
  }

  /** A request that somebody else reads and answers. */
  follow(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#asked.add(incoming)
    outgoing.once('close', () => this.#asked.delete(incoming))
  }

  /** The other end's, as the socket has it. Empty once it is gone. */
  get address(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** As the handshake verified it. */
  get certificate(): ClientCertificate {
    if (this.#certificate === 'unread') this.#certificate = certificateOf(this.#socket)
    return this.#certificate
  }

  /** Its client was verified, if at all, by roots that are replaced now. */
  outdate(): void {
    if (this.certificate !== undefined) this.#certificate = 'unverified'
  }
}
export const GONE: Refusal = new Refusal('aborted', 'the client went away')

const connections = new WeakMap<Socket, Connection>()

export function connectionOf(socket: Socket): Connection {
  const known = connections.get(socket)
  if (known !== undefined) return known
  const connection = new Connection(socket)
  connections.set(socket, connection)
  return connection
}

function certificateOf(socket: Socket): ClientCertificate {
  if (!(socket instanceof TLSSocket)) return undefined
  const shown = socket.getPeerX509Certificate()
  return shown === undefined || socket.authorized ? shown : 'unverified'
}
