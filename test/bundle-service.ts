/** A server of OPA's bundle service protocol, with long polls, written from its documentation. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class BundleService {
  readonly asked: { readonly prefer: string | undefined; readonly tag: string | undefined }[] = []
  readonly #server: Server
  readonly #token: string
  readonly #waiting = new Set<() => void>()
  /** How many deltas it sent. */
  deltas = 0
  #bundle: Uint8Array = new Uint8Array()
  #delta: { readonly base: string; readonly bytes: Uint8Array } | undefined

  private constructor(server: Server, token: string) {
    this.#server = server
    this.#token = token
  }

  static async start(token: string): Promise<BundleService> {
    const server = createServer()
    const service = new BundleService(server, token)
    server.on('request', (request, response) => service.#answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** @param delta for those who take deltas and have what was offered last */
  offer(bundle: Uint8Array, delta?: Uint8Array): void {
    this.#delta = delta && { base: this.#tag, bytes: delta }
    this.#bundle = bundle
    for (const wake of [...this.#waiting]) wake()
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  get #tag(): string {
    return `"${createHash('sha256').update(this.#bundle).digest('hex')}"`
  }

  #answer({ headers }: IncomingMessage, response: ServerResponse): void {
    const { authorization, prefer: preferred, 'if-none-match': tag } = headers
    const prefer = preferred?.toString()
    this.asked.push({ prefer, tag })
    const send = (): void => this.#send(tag, prefer, response)
    const seconds = Number(/wait=(\d+)/.exec(prefer ?? '')?.[1] ?? 0)
    if (authorization !== `Bearer ${this.#token}`) response.writeHead(401).end()
    else if (tag !== this.#tag || seconds === 0) send()
    else this.#hold(send, seconds)
  }

  #hold(send: () => void, seconds: number): void {
    const wake = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(wake)
      send()
    }
    const timer = setTimeout(wake, seconds * 1000)
    this.#waiting.add(wake)
  }

  #send(tag: string | undefined, prefer: string | undefined, response: ServerResponse): void {
    const etag = this.#tag
    const delta = /modes=[a-z,]*delta/.test(prefer ?? '') && tag === this.#delta?.base
    const type = 'application/vnd.openpolicyagent.bundles'
    if (tag === etag) response.writeHead(304, { etag }).end()
    else response.writeHead(200, { etag, 'content-type': type }).end(this.#sent(delta))
  }

  #sent(delta: boolean): Uint8Array {
    if (!delta || this.#delta === undefined) return this.#bundle
    this.deltas++
    return this.#delta.bytes
  }
}
