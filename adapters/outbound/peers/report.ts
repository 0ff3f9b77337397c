/** Signed calls to the kernel of one cell: `capability.report`. A call is believed for half a minute, so nobody insists for longer. */
import { type Json, parseJson } from '../../../core/json.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Report } from './entries.ts'
import { PeerError } from './error.ts'
import type { Peer } from './http.ts'

const TIMEOUT_MS = 5000
/** Less than a call's time may be away from the receiver's clock. */
const MAX_AGE_SECONDS = 25
const encoder = new TextEncoder()

/** @throws PeerError to be tried again later: nobody knows whether it was heard, and it may still be believed */
export async function report(
  { body, call, cell, signatures }: Report,
  peers: ReadonlyMap<string, Peer>,
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<Json> {
  const peer = peers.get(cell)
  if (peer === undefined) return { reported: false, why: 'no_peer' }
  if (clock.now() / 1000 - call.time > MAX_AGE_SECONDS) return { reported: false, why: 'too_late' }
  const payload = { body: body as Json, call: { ...call, signature: signatures.report } }
  const { allow } = await ask(peer, { action: 'capability.report', payload }, TIMEOUT_MS, signal)
  return allow ? { reported: true } : { reported: false, why: 'denied' }
}

/** A decision as another kernel answers it over HTTP. */
export interface Answered {
  readonly allow: boolean
  readonly output?: Json
  readonly reasons: readonly { readonly code: string }[]
}

/** @throws PeerError `unexpected_status`, `malformed_answer` and those of {@link Peer.post} */
export async function ask(
  peer: Peer,
  submission: { readonly action: string; readonly payload: Json },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answered> {
  const body = encoder.encode(JSON.stringify(submission))
  const path = '/assay/v1/decisions'
  const type = 'application/json'
  const answer = await peer.post({ body, path, signal, timeoutMs, type })
  if (answer.status !== 200)
    throw new PeerError('peers', 'unexpected_status', `${peer.url} answers ${answer.status}`)
  try {
    const decided = parseJson(answer.body) as unknown as Answered
    if (typeof decided?.allow === 'boolean' && Array.isArray(decided.reasons)) return decided
  } catch {
    // Said below, without its text.
  }
  throw new PeerError('peers', 'malformed_answer', `${peer.url} does not answer with a decision`)
}
