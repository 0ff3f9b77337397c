/** Another kernel over HTTP: one request and its whole answer, within bounds. Redirects are not followed. */
import { readFile } from 'node:fs/promises'
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request as secureRequest } from 'node:https'
import { PeerError, type PeerErrorCode } from './error.ts'

export interface PeerOptions {
  /** Base URL of its HTTP transport. */
  readonly url: string
  /** Its content goes into the header Authorization; read for each request, so that it can be replaced. */
  readonly tokenFile?: string
  /** PEM certificates that its own is checked with, in place of the platform's. Read once. */
  readonly caFile?: string
}
export interface Answer {
  readonly status: number
  readonly body: Uint8Array
}
export interface Post {
  readonly path: string
  readonly type: 'application/json' | 'application/octet-stream'
  readonly body: Uint8Array
  /** For the whole answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A page of revocations is a wire message of at most 64 KiB; a decision holds it as base64url. */
const MAX_ANSWER_BYTES = 262_144
const MAX_SOCKETS = 32

export class Peer {
  readonly url: string
  readonly #options: PeerOptions
  #agent: Promise<PlainAgent> | undefined

  /** @throws TypeError when `url` is none */
  constructor(options: PeerOptions) {
    this.url = new URL(options.url).href.replace(/\/+$/, '')
    this.#options = options
  }

  /** @throws PeerError `timeout`, `unreachable`, `refused`, `malformed_answer`, `closed` */
  async post({ body, path, signal, timeoutMs, type }: Post): Promise<Answer> {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const headers = {
        'content-type': type,
        'content-length': body.length,
        ...(await this.#auth()),
      }
      const agent = await this.#open()
      return await exchange(
        new URL(`${this.url}${path}`),
        { agent, headers, signal: AbortSignal.any([signal, timeout]) },
        body,
      )
    } catch (error) {
      if (error instanceof PeerError) throw error
      const code = signal.aborted ? 'closed' : timeout.aborted ? 'timeout' : codeOf(error)
      throw new PeerError('peers', code, `no answer of ${this.url}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    const agent = await this.#agent?.catch(() => undefined)
    agent?.destroy()
  }

  async #auth(): Promise<Readonly<Record<string, string>>> {
    const { tokenFile } = this.#options
    if (tokenFile === undefined) return {}
    return { authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` }
  }

  #open(): Promise<PlainAgent> {
    this.#agent ??= this.#connect().catch((error: unknown) => {
      this.#agent = undefined
      throw error
    })
    return this.#agent
  }

  async #connect(): Promise<PlainAgent> {
    const { caFile } = this.#options
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS }
    if (!this.url.startsWith('https:')) return new PlainAgent(options)
    return new Agent(caFile === undefined ? options : { ...options, ca: await readFile(caFile) })
  }
}

interface Sending {
  readonly agent: PlainAgent
  readonly headers: Readonly<Record<string, number | string>>
  readonly signal: AbortSignal
}

function exchange(url: URL, sending: Sending, body: Uint8Array): Promise<Answer> {
  const send = url.protocol === 'https:' ? secureRequest : plainRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { ...sending, method: 'POST' }, (response) => {
      const chunks: Uint8Array[] = []
      let length = 0
      response.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk)
        length += chunk.length
        if (length <= MAX_ANSWER_BYTES) return
        reject(new PeerError('peers', 'malformed_answer', `${url.origin} answers without an end`))
        request.destroy()
      })
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
      )
      response.once('error', reject)
    })
    request.once('error', reject)
    request.end(body)
  })
}

/** A peer that hangs up has heard the request, or an intermediary has. */
function codeOf(error: unknown): PeerErrorCode {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'refused' : 'unreachable'
}
