/**
 * One HTTP request, in place of the client library's own: that one has no deadline for a whole answer, follows redirects with the token, and takes
 * proxies and trust from the environment.
 */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { type Json, parseJson } from '../../../core/json.ts'
import { refuse } from './failure.ts'

const MAX_ANSWER_BYTES = 8 * 1_048_576
const MAX_SOCKETS = 64

/** What the client library hands over, as far as it is used. */
export interface Asked {
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  /** The body; `true` or absent: none. */
  readonly json?: object | true
  readonly signal: AbortSignal
}

export interface Answered {
  readonly statusCode: number
  readonly body: Json
  readonly request: { readonly path: string }
}

export class Http {
  readonly #agent: PlainAgent | SecureAgent
  readonly #secure: boolean

  /** @param ca PEM certificates that the server's is checked with, in place of the platform's */
  constructor(address: URL, ca: string | undefined) {
    this.#secure = address.protocol === 'https:'
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS }
    this.#agent = this.#secure
      ? new SecureAgent({
          ...options,
          rejectUnauthorized: true,
          ...(ca === undefined ? {} : { ca }),
        })
      : new PlainAgent(options)
  }

  /** @throws the platform's error when there is no whole answer; CustodyError `misconfigured` when it is not Vault's */
  async send({ headers, json, method, signal, uri }: Asked): Promise<Answered> {
    const url = new URL(uri)
    const body = typeof json === 'object' ? JSON.stringify(json) : undefined
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const send = this.#secure ? secureRequest : plainRequest
      const options = { agent: this.#agent, headers: headersFor(headers, body), method, signal }
      send(url, options, resolve).on('error', reject).end(body)
    })
    const bytes = await whole(answer)
    const { statusCode = 0 } = answer
    return { statusCode, body: jsonIn(bytes, statusCode), request: { path: url.pathname } }
  }

  close(): void {
    this.#agent.destroy()
  }
}

function headersFor(
  own: Readonly<Record<string, string>>,
  body: string | undefined,
): Record<string, string | number> {
  if (body === undefined) return { ...own }
  const length = Buffer.byteLength(body)
  return { ...own, 'content-type': 'application/json', 'content-length': length }
}

async function whole(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) throw refuse('misconfigured', 'the answer is too long for Vault')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What stands before Vault may answer in its own words when Vault does not: its status says enough then. */
function jsonIn(bytes: Uint8Array, status: number): Json {
  if (bytes.length === 0) return {}
  try {
    return parseJson(bytes, { maxBytes: MAX_ANSWER_BYTES })
  } catch {
    if (status >= 300 && (status < 400 || status === 429 || status >= 500)) return {}
    throw refuse('misconfigured', `what answers (${status}) is not Vault; correct address`)
  }
}
