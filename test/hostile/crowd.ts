/** Clients that a server wishes away. Each keeps what it opened until it is told to go. */
import { connect, type Socket } from 'node:net'

export class Crowd {
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  readonly #timers: NodeJS.Timeout[] = []
  /** Connections that were made. */
  opened = 0

  constructor(port: number) {
    this.#port = port
  }

  /** Many at once; each is handed over as soon as it stands. */
  open(count: number, use: (socket: Socket) => void = () => undefined): void {
    for (let i = 0; i < count; i++) {
      const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true })
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
      socket.once('connect', () => {
        this.opened++
        use(socket)
      })
    }
  }

  /** Sends `text`, then `drop` again and again, a few bytes at a time. */
  trickle(count: number, text: string, drop: string): void {
    const trickling: Socket[] = []
    this.open(count, (socket) => {
      socket.write(text)
      trickling.push(socket)
    })
    this.#timers.push(
      setInterval(() => {
        for (const socket of trickling) if (!socket.destroyed) socket.write(drop)
      }, 1000),
    )
  }

  /** Asks for much and reads nothing of it. */
  deaf(count: number, requests: string): void {
    this.open(count, (socket) => {
      socket.pause()
      socket.write(requests)
    })
  }

  /** Ends its side at once, and listens for ever. */
  halfOpen(count: number): void {
    this.open(count, (socket) => socket.end('GET /health/live HTTP/1.1\r\nHost: a\r\n'))
  }

  /** As much as the server takes. */
  flood(count: number, head: string, more: Uint8Array | string): void {
    this.open(count, (socket) => {
      socket.write(head)
      const pour = (): void => {
        while (!socket.destroyed && socket.write(more)) {}
      }
      socket.on('drain', pour)
      socket.resume()
      pour()
    })
  }

  leave(): void {
    for (const timer of this.#timers) clearInterval(timer)
    for (const socket of this.#sockets) socket.destroy()
  }
}
