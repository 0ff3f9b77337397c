/**
 * TLS and client certificates (RFC 8446, RFC 5246). The files are read again when they change: new connections use the new ones, and what
 * cannot be used is reported while the ones before it go on.
 */
import { constants } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { TransportError } from '../../../core/error.ts'
import { connectionOf } from './connection.ts'
import { type Contents, type FileWatch, watchFiles } from './watched-files.ts'

export interface TlsOptions {
  /** A PEM file: the certificate, and the ones between it and its root. */
  readonly cert: string
  /** A PEM file: the private key, not encrypted. */
  readonly key: string
  /** A PEM file with the roots of client certificates. Default: no client is asked for one. */
  readonly clientCa?: string
  /** Whether a connection without a certificate of {@link clientCa} ends. Default true where there is a clientCa. */
  readonly requireClientCert?: boolean
  /** Default TLSv1.2. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** What an operator should hear of. `tls_refused`: the files changed and cannot be used; the ones before them still are. */
export type TlsEvent =
  | { readonly kind: 'tls_reloaded' }
  | { readonly kind: 'tls_refused'; readonly message: string }

type Paths = Pick<TlsOptions, 'cert' | 'clientCa' | 'key'>
type Files = Contents<Paths>

/** A server's certificates, kept up to date. */
export class Tls {
  readonly #options: TlsOptions
  readonly #watch: FileWatch<Paths>
  readonly #onEvent: (event: TlsEvent) => void
  readonly #open = new Set<TLSSocket>()
  /** By the client's address and port: connections that are not secure yet. */
  readonly #shaking = new Map<string, Socket>()
  #contents: Files
  #server: Server | undefined

  private constructor(
    options: TlsOptions,
    watch: FileWatch<Paths>,
    onEvent: (event: TlsEvent) => void,
  ) {
    this.#options = options
    this.#onEvent = onEvent
    this.#contents = watch.contents
    this.#watch = watch
    watch.onChange = (contents) => this.#change(contents)
  }

  /** @throws TransportError `invalid_options` */
  static async open(
    options: TlsOptions,
    onEvent: (event: TlsEvent) => void,
    lookMs?: number,
  ): Promise<Tls> {
    const watch = await openFiles(options, lookMs)
    try {
      contextOf(options, watch.contents)
    } catch (cause) {
      watch.close()
      throw unusable(reasonOf(cause), cause)
    }
    return new Tls(options, watch, onEvent)
  }

  /** Not listening yet. */
  createServer(options: Parameters<typeof createServer>[0]): Server {
    const { clientCa, requireClientCert = true } = this.#options
    const asked = clientCa !== undefined
    const server = createServer({
      ...options,
      ...contextOf(this.#options, this.#contents),
      requestCert: asked,
      rejectUnauthorized: asked && requireClientCert,
    })
    this.#followConnections(server)
    this.#server = server
    return server
  }

  /** Lets the files be, and ends connections that are not secure yet. */
  close(): void {
    this.#watch.close()
    this.#endHandshakes()
  }

  #followConnections(server: Server): void {
    const nameOf = ({ remoteAddress, remotePort }: Socket): string =>
      `${remoteAddress} ${remotePort}`
    server.on('connection', (socket: Socket) => {
      const name = nameOf(socket)
      this.#shaking.set(name, socket)
      socket.once('close', () => {
        if (this.#shaking.get(name) === socket) this.#shaking.delete(name)
      })
    })
    server.on('secureConnection', (socket) => {
      this.#shaking.delete(nameOf(socket))
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
    })
  }

  #change(contents: Files): void {
    const before = this.#contents
    try {
      const context = contextOf(this.#options, contents)
      this.#server?.setSecureContext(context)
    } catch (error) {
      this.#onEvent({ kind: 'tls_refused', message: reasonOf(error) })
      return
    }
    this.#contents = contents
    if (String(before.clientCa) !== String(contents.clientCa)) this.#distrust()
    this.#onEvent({ kind: 'tls_reloaded' })
  }

  #endHandshakes(): void {
    for (const socket of this.#shaking.values()) socket.destroy()
  }

  /** Who was verified by roots that are gone must come again, under the new ones. */
  #distrust(): void {
    this.#endHandshakes()
    for (const socket of this.#open) connectionOf(socket).outdate()
    this.#server?.closeIdleConnections()
  }
}

/** Whether a connection ended before it was secure, other than by the client's leaving. */
export function isHandshake({ code }: NodeJS.ErrnoException, socket: Socket): boolean {
  if (/^ERR_(?:SSL|TLS)_/.test(code ?? '')) return true
  // So Node says that it ended the connection over the client's certificate.
  return code === 'ECONNRESET' && Boolean((socket as Partial<TLSSocket>).authorizationError)
}

async function openFiles(
  { cert, clientCa, key }: TlsOptions,
  lookMs: number | undefined,
): Promise<FileWatch<Paths>> {
  const paths: Paths = { cert, key, ...(clientCa === undefined ? {} : { clientCa }) }
  try {
    return await watchFiles(paths, { everyMs: lookMs })
  } catch (cause) {
    throw unusable(`a file cannot be read: ${reasonOf(cause)}`, cause)
  }
}

/** @throws when the files do not fit together */
function contextOf(
  { minVersion = 'TLSv1.2' }: TlsOptions,
  { cert, clientCa, key }: Files,
): SecureContextOptions {
  const context: SecureContextOptions = {
    cert,
    key,
    minVersion,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    // A resumed session would bring the client back as older roots verified it.
    ...(clientCa === undefined ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
  }
  if (clientCa !== undefined && !/-----BEGIN CERTIFICATE-----/.test(String(clientCa)))
    throw new Error('the file of client roots holds no certificate')
  createSecureContext(context)
  return context
}

/** OpenSSL's own word, which names no content. */
function reasonOf(error: unknown): string {
  const { message, reason } = error as Error & { reason?: string }
  return reason ?? message
}

function unusable(what: string, cause: unknown): TransportError {
  return new TransportError('transport/http', 'invalid_options', `tls: ${what}`, { cause })
}
