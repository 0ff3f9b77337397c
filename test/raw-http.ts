/** HTTP as bytes on a socket, for what a well-behaved client never sends. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #wake = (): void => {}
  closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async to(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next answer with a Content-Length, or undefined when the server closes first. */
  async answer(bodiless = false): Promise<RawAnswer | undefined> {
    for (;;) {
      const parsed = this.#take(bodiless)
      if (parsed !== undefined || this.closed) return parsed
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when the server has closed the connection. */
  async end(): Promise<void> {
    if (!this.closed) await once(this.#socket, 'close')
  }

  #take(bodiless: boolean): RawAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [line = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n')
    const headers = new Map(
      lines.map((each): [string, string] => {
        const colon = each.indexOf(':')
        return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()]
      }),
    )
    const length = bodiless ? 0 : Number(headers.get('content-length') ?? 0)
    if (this.#received.length < end + 4 + length) return undefined
    const body = this.#received.subarray(end + 4, end + 4 + length).toString()
    this.#received = this.#received.subarray(end + 4 + length)
    return { status: Number(line.split(' ')[1]), headers, body }
  }
}

export function rawPost(
  path: string,
  body: string | Uint8Array,
  extra: readonly string[] = [],
): string {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...extra,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
