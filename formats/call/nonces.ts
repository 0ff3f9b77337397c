/**
 * The nonces of calls that were accepted lately, as a record of the plugin that accepted them. A cell's nonces lie in 64 records by their
 * first character, so that calls at the same time rarely meet in one; each forgets what is too old to be accepted again.
 */
import type { Json } from '../../core/json.ts'

/** Of one record: 4,096 calls of a cell in {@link KEPT_SECONDS}. */
const MOST = 64
/** Longer than a call's time may be away from the clock, to both sides. */
const KEPT_SECONDS = 90

interface Heard {
  readonly nonce: string
  readonly time: number
}
/** `full`: so many calls that it cannot be told any more; refuse it. */
export type NonceState = 'fresh' | 'full' | 'seen'

/** Where a call's nonce is kept. Times in this file are Unix seconds. */
export function nonceKey({
  cell,
  nonce,
}: {
  readonly cell: string
  readonly nonce: string
}): string {
  return `call/${cell}/${nonce.slice(0, 1)}`
}

export function nonceState(record: Json | undefined, nonce: string, now: number): NonceState {
  const heard = recent(record, now)
  if (heard.some((one) => one.nonce === nonce)) return 'seen'
  return heard.length < MOST ? 'fresh' : 'full'
}

/** The record with one call more. */
export function withNonce(
  record: Json | undefined,
  { nonce, time }: { readonly nonce: string; readonly time: number },
  now: number,
): Json {
  return { heard: [...recent(record, now), { nonce, time }] }
}

function recent(record: Json | undefined, now: number): readonly { nonce: string; time: number }[] {
  const { heard = [] } = (record ?? {}) as { readonly heard?: readonly Heard[] }
  return heard.filter(({ time }) => time > now - KEPT_SECONDS)
}
