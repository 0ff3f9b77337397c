/** One batch to one receiver: what was sent, and what its answer means. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { LogEvent } from './event.ts'

const zip = promisify(gzip)

/** How a receiver wants its events. */
export interface Format {
  readonly url: string
  body(events: readonly LogEvent[]): string
  /** Events that the receiver refused of a batch that it took otherwise, from the body of its answer. */
  rejected(answer: string): number
}

export interface SendOptions {
  readonly headers: Readonly<Record<string, string>>
  /** Its content goes into the header Authorization; read for each batch, so that it can be replaced. */
  readonly bearerTokenFile?: string
  readonly timeoutMs: number
}

/**
 * - `taken`: on disk or wherever the receiver keeps it; `rejected` of them it will never take.
 * - `refused`: this batch as it is, every time it is sent: too large, or an event in it is not understood.
 * - `failed`: perhaps later.
 */
export type Sent =
  | { readonly outcome: 'taken'; readonly rejected: number }
  | { readonly outcome: 'refused'; readonly status: number }
  | { readonly outcome: 'failed'; readonly code: string; readonly retryAfterMs?: number }

const MAX_ANSWER_BYTES = 65_536
/** Of the batch itself. 401, 403 and 404 are the operator's to repair, so those wait. */
const REFUSING = new Set([400, 413, 422])

/** Never rejects. */
export async function send(
  events: readonly LogEvent[],
  format: Format,
  options: SendOptions,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    const response = await fetch(format.url, {
      method: 'POST',
      headers: {
        ...options.headers,
        ...(await authorization(options)),
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: await zip(format.body(events)),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
    })
    const answer = await limited(response)
    if (response.ok) return { outcome: 'taken', rejected: format.rejected(answer) }
    if (REFUSING.has(response.status)) return { outcome: 'refused', status: response.status }
    return { outcome: 'failed', code: `status_${response.status}`, ...retryAfter(response) }
  } catch (error) {
    return { outcome: 'failed', code: failureCode(error) }
  }
}

async function authorization({
  bearerTokenFile,
}: SendOptions): Promise<Readonly<Record<string, string>>> {
  if (bearerTokenFile === undefined) return {}
  return { authorization: `Bearer ${(await readFile(bearerTokenFile, 'utf8')).trim()}` }
}

/** A receiver may answer with anything. */
async function limited(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MAX_ANSWER_BYTES) break
  }
  return text
}

/** Seconds; a date is as good as none. */
function retryAfter({ headers }: Response): { readonly retryAfterMs?: number } {
  const seconds = headers.get('retry-after') ?? ''
  return /^\d{1,4}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {}
}

function failureCode(error: unknown): string {
  const { cause, code, name } = error as NodeJS.ErrnoException & { cause?: { code?: unknown } }
  if (name === 'TimeoutError') return 'timeout'
  const system = cause?.code ?? code
  if (typeof system === 'string' && /^E[A-Z_]+$/.test(system)) return system.toLowerCase()
  return 'unreachable'
}
