/**
 * OPA's bundle service protocol: GET with the ETag of what is known, 304 where it is the newest, and long polls where the server offers
 * them. Redirects are not followed: they would take a token elsewhere.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api
 */
import { readFile } from 'node:fs/promises'
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request as secureRequest } from 'node:https'
import { BundleRefusal } from '../../../formats/bundle/index.ts'
import { type Limits, tooLarge } from './archive.ts'
import {
  type Ask,
  type BundleSource,
  type Fetched,
  SourceError,
  type SourceErrorCode,
} from './source.ts'

export interface HttpSourceOptions {
  readonly url: string
  readonly limits: Limits
  /** Milliseconds for an answer that the server does not hold back; also between two parts of one. */
  readonly timeoutMs: number
  /** How long the server may hold a question back; 0: it is not asked to. */
  readonly longPollSeconds: number
  /** PEM certificates that the server's is checked with, in place of the platform's. Read for each connection pool, at start. */
  readonly caFile?: string
  /** Headers of one request, for example its authorization: read or signed for each. */
  readonly headers?: (url: URL) => Promise<Readonly<Record<string, string>>>
}

const LONG_POLL = 'application/vnd.openpolicyagent.bundles'

export function httpSource(options: HttpSourceOptions): BundleSource {
  return new HttpSource(options)
}

/** The content of a file as a bearer token, read for each request so that it can be replaced. */
export function bearer(tokenFile: string): NonNullable<HttpSourceOptions['headers']> {
  return async () => ({ authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` })
}

class HttpSource implements BundleSource {
  readonly name: string
  readonly #options: HttpSourceOptions
  readonly #url: URL
  #agent: PlainAgent | undefined
  #waits = false

  constructor(options: HttpSourceOptions) {
    this.#options = options
    this.#url = new URL(options.url)
    const { origin, pathname } = this.#url
    this.name = origin + pathname
  }

  get waits(): boolean {
    return this.#waits
  }

  async ask({ deltas = false, signal, tag }: Ask): Promise<Fetched> {
    const { longPollSeconds, timeoutMs } = this.#options
    const held = this.#waits && tag !== undefined ? longPollSeconds * 1000 : 0
    const modes = deltas && tag !== undefined ? 'modes=snapshot,delta' : 'modes=snapshot'
    const headers = await this.#headers(tag, held, modes)
    const deadline = AbortSignal.timeout(held + timeoutMs)
    try {
      const asked = AbortSignal.any([signal, deadline])
      const answer = await send(this.#url, { agent: await this.#open(), headers, signal: asked })
      return await this.#take(answer, tag)
    } catch (error) {
      this.#waits = false
      signal.throwIfAborted()
      const late = deadline.aborted
      if (!late && (error instanceof SourceError || error instanceof BundleRefusal)) throw error
      const code = late ? 'timeout' : 'unreachable'
      throw new SourceError(code, `no whole answer of ${this.name}`, { cause: error })
    }
  }

  async #headers(
    tag: string | undefined,
    held: number,
    modes: string,
  ): Promise<Record<string, string>> {
    const own = await this.#options.headers?.(this.#url).catch((cause: unknown) => {
      throw new SourceError('unauthorized', 'the token or the credentials cannot be read', {
        cause,
      })
    })
    return {
      ...own,
      prefer: [modes, ...(held > 0 ? [`wait=${held / 1000}`] : [])].join(';'),
      ...(tag === undefined ? {} : { 'if-none-match': tag }),
    }
  }

  async #take(answer: IncomingMessage, tag: string | undefined): Promise<Fetched> {
    const { statusCode: status = 0, headers } = answer
    if (status !== 200) answer.resume()
    if (status === 304 && tag !== undefined) return { kind: 'unchanged' }
    if (status !== 200) throw new SourceError(codeOf(status), `${this.name} answers ${status}`)
    const bytes = await body(answer, this.#options.limits)
    this.#waits = headers['content-type'] === LONG_POLL && this.#options.longPollSeconds > 0
    // A server that does not know If-None-Match sends the same again, and one that holds back may send nothing.
    if (bytes.length === 0) return { kind: 'unchanged' }
    const { etag } = headers
    return { kind: 'bundle', bytes, ...(etag === undefined ? {} : { tag: etag }) }
  }

  async #open(): Promise<PlainAgent> {
    if (this.#agent !== undefined) return this.#agent
    const { caFile } = this.#options
    const options = { keepAlive: true, maxSockets: 1 }
    const secure = this.#url.protocol === 'https:'
    const ca = secure && caFile !== undefined ? { ca: await readFile(caFile) } : {}
    this.#agent = secure ? new Agent({ ...options, ...ca }) : new PlainAgent(options)
    return this.#agent
  }

  async close(): Promise<void> {
    this.#agent?.destroy()
  }
}

function codeOf(status: number): SourceErrorCode {
  if (status >= 300 && status < 400 && status !== 304) return 'redirected'
  if (status === 401 || status === 403) return 'unauthorized'
  return status === 404 ? 'not_found' : 'bad_status'
}

interface Sending {
  readonly agent: PlainAgent
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

function send(url: URL, sending: Sending): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? secureRequest : plainRequest
  return new Promise((resolve, reject) => {
    request(url, sending, resolve).once('error', reject).end()
  })
}

/** All of it: what is shorter than announced is no answer. */
async function body(answer: IncomingMessage, limits: Limits): Promise<Uint8Array> {
  const announced = Number(answer.headers['content-length'] ?? 0)
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    if (announced > limits.maxBytes) throw tooLarge(limits)
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > limits.maxBytes) throw tooLarge(limits)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    answer.destroy()
    if (error instanceof BundleRefusal || length === 0) throw error
    throw new BundleRefusal('truncated', 'the answer ended before its end', { cause: error })
  }
}
