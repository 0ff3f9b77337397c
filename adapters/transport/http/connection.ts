/** What is known of one connection: all requests on it have the same client. */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Refusal } from './answer.ts'

/** `unverified`: the client showed a certificate that no root of this server stands behind (any more). */
export type ClientCertificate = X509Certificate | 'unverified' | undefined

export class Connection {
  readonly #socket: Socket
  readonly #controller = new AbortController()
  readonly signal: AbortSignal = this.#controller.signal
  /** Requests that arrived whole and are not answered yet: what else is written now would be taken for an answer to one of them. */
  deciding = 0
  #certificate: ClientCertificate | 'unread' = 'unread'

  constructor(socket: Socket) {
    this.#socket = socket
    socket.once('close', () => this.#controller.abort(GONE))
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
