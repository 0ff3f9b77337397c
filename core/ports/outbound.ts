import type { Json } from '../json.ts'

/** One external action that a decision asked for. Delivered at least once: receivers remove duplicates by `key`. */
export interface OutboundAction {
  /** Idempotency key: the decision's id and the entry's place in it. */
  readonly key: string
  readonly kind: string
  readonly body: Json
}

/** Performs external actions (teardown, broadcast, submission). It decides nothing. */
export interface Outbound {
  readonly name: string
  readonly kinds: readonly string[]
  /** Resolves with what happened, which becomes a new decision; rejects to be tried again later. */
  perform(action: OutboundAction, signal: AbortSignal): Promise<Json>
}
