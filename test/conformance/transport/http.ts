/** The HTTP transport as its clients see it: sockets, headers and status codes. */

import { serveHttp } from '../../../adapters/transport/http/index.ts'
import { sha256Hex } from '../../../core/crypto.ts'
import type { NoDecisionCode } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { OpenedTransport, Reply, Sent, TransportSubject } from '../transport.ts'

const STATUSES: Readonly<Record<NoDecisionCode, number>> = {
  aborted: 499,
  closed: 503,
  idempotency_mismatch: 422,
  invalid_page_token: 400,
  malformed: 400,
  not_searchable: 400,
  overloaded: 503,
  refused: 403,
  search_budget: 400,
  unavailable: 503,
  unknown_outcome: 503,
}
const FORGED = {
  Authorization: 'Bearer operator',
  Cookie: 'peer=operator',
  Forwarded: 'for=127.0.0.1;by=operator',
  'Assay-Peer': 'operator',
  'X-Forwarded-User': 'operator',
  'X-Peer-Kind': 'operator',
  'X-Peer-Id': 'root',
}

export const httpSubject: TransportSubject = {
  name: 'transport/http',
  peer: { kind: 'anonymous', id: 'anonymous' },
  statuses: STATUSES,
  async open(kernel: Kernel, { maxBytes }): Promise<OpenedTransport> {
    const { url, close } = await serveHttp(kernel, { maxBodyBytes: maxBytes })
    return { send: (sent) => send(`${url}/access/v1/evaluation`, sent), close }
  },
}

const TOKEN = 'a-token-of-thirty-two-characters'

/** The same, where callers have to say who they are. */
export const tokenSubject: TransportSubject = {
  ...httpSubject,
  name: 'transport/http with a token',
  peer: { kind: 'service', id: 'ci' },
  async open(kernel, { maxBytes }) {
    const peer = { kind: 'service', id: 'ci' }
    const auth = { kind: 'bearer', tokens: [{ sha256: sha256Hex(TOKEN), peer }] } as const
    const { url, close } = await serveHttp(kernel, { maxBodyBytes: maxBytes, auth })
    const own = { Authorization: `Bearer ${TOKEN}` }
    return { send: (sent) => send(`${url}/access/v1/evaluation`, sent, own), close }
  },
}

async function send(
  url: string,
  sent: Sent,
  own: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { ...requestHeaders(sent), ...own },
      body: JSON.stringify(sent.evaluation) ?? '',
      signal: sent.signal ?? null,
    })
  } catch (error) {
    return { code: 'unreachable', text: String(error) }
  }
  return textReply(response.status, response.headers, await response.text())
}

export function requestHeaders({
  idempotencyKey,
  seal,
  timeoutMs,
  forged,
}: Sent): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
    ...(seal === undefined ? {} : { 'Assay-Seal': seal }),
    ...(timeoutMs === undefined ? {} : { 'Assay-Timeout-Ms': String(timeoutMs) }),
    ...(forged ? FORGED : {}),
  }
}

export function textReply(status: number, headers: Headers, text: string): Reply {
  const id = headers.get('x-decision-id')
  if (status === 200) return { allow: JSON.parse(text).decision === true, id: id ?? '' }
  const retryAfter = headers.get('retry-after')
  return {
    code: text.slice(0, text.indexOf(':')),
    text,
    status,
    ...(retryAfter === null ? {} : { retryAfterMs: Number(retryAfter) * 1000 }),
    ...(id === null ? {} : { decisionId: id }),
  }
}
