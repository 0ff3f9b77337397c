/**
 * The HTTP side of a resource driver: `POST` with a JSON body and an `Idempotency-Key`; 200 with `{"ok": true}` or `{"ok": false, "why"}` is
 * its answer. Everything else, 202 included, means that there is no answer yet. docs/lease.md is the page for those who write one.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type Json, parseJson } from '../../../core/json.ts'
import { type Schema, schema } from '../../../core/schema.ts'

export interface DriverOptions {
  readonly url: string
  /** For all attempts together, in milliseconds. Default 10,000; at most 25,000: the outbox gives an entry 30 seconds. */
  readonly timeoutMs?: number
  /** Its content goes into the header Authorization; read for each request, so that it can be replaced. */
  readonly tokenFile?: string
}

export interface DriverAnswer {
  readonly ok: boolean
  /** At most 256 characters: a code, or what an operator should know. */
  readonly why?: string
}

const answerSchema: Schema<DriverAnswer> = schema.object(
  { ok: schema.boolean() },
  { why: schema.string({ maxLength: 256 }) },
)
const ATTEMPTS = 3
const PAUSE_MS = 100
const DEFAULT_TIMEOUT_MS = 10_000
const MAX_TIMEOUT_MS = 25_000
const MAX_ANSWER_BYTES = 4096

/**
 * The driver's answer, or `ok: false` when it gave none in three attempts: `timeout`, `unreachable`, `status_<code>`, `malformed_answer`.
 * @throws the signal's reason: nothing is known then
 */
export async function askDriver(
  options: DriverOptions,
  key: string,
  question: Json,
  signal: AbortSignal,
): Promise<DriverAnswer> {
  const timeoutMs = Math.min(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)
  let why = 'timeout'
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs / ATTEMPTS))
    const asked = await ask(options, key, question, AbortSignal.any([signal, timeout]))
    signal.throwIfAborted()
    if (typeof asked !== 'string') return asked
    why = timeout.aborted ? 'timeout' : asked
    // A driver that is not done yet gets the rest of its time.
    if (attempt < ATTEMPTS) await rest(timeout, signal)
  }
  return { ok: false, why }
}

/** Until the attempt's time is over, but no longer than a moment where it took none. */
async function rest(timeout: AbortSignal, signal: AbortSignal): Promise<void> {
  if (!timeout.aborted) await pause(PAUSE_MS, undefined, { signal })
}

/** The answer, or why there was none. */
async function ask(
  { tokenFile, url }: DriverOptions,
  key: string,
  question: Json,
  signal: AbortSignal,
): Promise<DriverAnswer | string> {
  try {
    const token = tokenFile === undefined ? undefined : await readFile(tokenFile, 'utf8')
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
      },
      body: JSON.stringify(question),
      redirect: 'manual',
      signal,
    })
    if (response.status === 200) return readAnswer(await bounded(response))
    await response.body?.cancel()
    return `status_${response.status}`
  } catch {
    return 'unreachable'
  }
}

function readAnswer(bytes: Uint8Array | undefined): DriverAnswer | string {
  if (bytes === undefined) return 'malformed_answer'
  try {
    const value = parseJson(bytes)
    return answerSchema.problem(value, '') === undefined
      ? (value as unknown as DriverAnswer)
      : 'malformed_answer'
  } catch {
    return 'malformed_answer'
  }
}

/** Undefined when it is too long. */
async function bounded(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
