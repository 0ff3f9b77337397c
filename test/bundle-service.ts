/** A server of OPA's bundle service protocol, with long polls, written from its documentation. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class BundleService {
  readonly asked: { readonly prefer: string | undefined; readonly tag: string | undefined }[] = []
  readonly #server: Server
  readonly #token: string
  readonly #waiting = new Set<() => void>()
  #bundle: Uint8Array = new Uint8Array()

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

  offer(bundle: Uint8Array): void {
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
    const seconds = Number(/wait=(\d+)/.exec(prefer ?? '')?.[1] ?? 0)
    if (authorization !== `Bearer ${this.#token}`) response.writeHead(401).end()
    else if (tag !== this.#tag || seconds === 0) this.#send(tag, response)
    else this.#hold(tag, response, seconds)
  }

  #hold(tag: string, response: ServerResponse, seconds: number): void {
    const wake = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(wake)
      this.#send(tag, response)
    }
    const timer = setTimeout(wake, seconds * 1000)
    this.#waiting.add(wake)
  }

  #send(tag: string | undefined, response: ServerResponse): void {
    const etag = this.#tag
    const type = 'application/vnd.openpolicyagent.bundles'
    if (tag === etag) response.writeHead(304, { etag }).end()
    else response.writeHead(200, { etag, 'content-type': type }).end(this.#bundle)
  }
}
