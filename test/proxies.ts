/** Real proxies in front of a server: programs that are not ours, with the configurations that docs/ shows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { RawClient } from './raw-http.ts'
import { readText } from './source.ts'

/** The block behind `<!-- file: NAME -->` of a page. @throws without one */
export function documented(page: string, name: string): string {
  const [, block] = readText(page).split(`<!-- file: ${name} -->\n`)
  const text = block?.match(/^```\w+\n([\s\S]*?)^```$/m)?.[1]
  if (text === undefined) throw new Error(`${page} has no file ${name}`)
  return text
}

/** The service behind a proxy; keeps what reached it. */
export class Upstream {
  readonly reached: { readonly line: string; readonly headers: IncomingHttpHeaders }[] = []
  readonly #server: HttpServer

  constructor() {
    this.#server = createServer((request, response) => {
      const { headers, method, url } = request
      this.reached.push({ line: `${method} ${url}`, headers })
      response.end('served')
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A program that listens on a port until it is stopped. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  output = ''

  constructor(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe']
    this.#child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio })
    const take = (text: string): void => {
      this.output += text
    }
    this.#child.stdout?.setEncoding('utf8').on('data', take)
    this.#child.stderr?.setEncoding('utf8').on('data', take)
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        take(String(error))
        resolve()
      })
      this.#child.once('exit', () => resolve())
    })
  }

  /** @throws when the program ends first, or a minute passes */
  async listening(port: number): Promise<void> {
    let ended = false
    void this.#ended.then(() => {
      ended = true
    })
    const until = Date.now() + 60_000
    while (!(await accepts(port))) {
      if (ended || Date.now() > until) throw new Error(`it does not listen:\n${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

export interface Asked {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

/** One request as written, which fetch would normalise. */
export async function askProxy(
  port: number,
  target: string,
  headers: readonly string[] = [],
): Promise<Asked> {
  const raw = await RawClient.to(port)
  const lines = [`GET ${target} HTTP/1.1`, 'Host: app.example.com', 'Connection: close', ...headers]
  raw.write(`${lines.join('\r\n')}\r\n\r\n`)
  const answer = await raw.answer(true)
  raw.destroy()
  if (answer === undefined) throw new Error('the proxy closed the connection')
  return answer
}

export function basic(user: string, password = 'secret'): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
