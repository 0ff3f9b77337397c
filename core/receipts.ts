/** Receipts from what is stored: no key, no kernel, so that they can be had from a stopped server's data too. */
import type { Core } from './core.ts'
import { fromHex } from './crypto.ts'
import { decisionKey, decodeStored, type StoredDecision } from './decision.ts'
import { NoDecision } from './error.ts'
import { inclusionProof } from './log/proof.ts'
import type { Receipt } from './log/receipt.ts'
import { formatTlogProof } from './log/tlogproof.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Store, Version } from './ports/store.ts'
import type { Head, Proof } from './seal.ts'

/** A decision as it lies in the store and in the log. */
export interface Found {
  readonly index: bigint
  readonly leaf: string
  readonly stored: StoredDecision
  /** Of the row: for a write that depends on it. */
  readonly version: Version
}

/** A leaf, where its place is known: finding it by its hash is slow in a long log. */
export interface Place {
  readonly index: bigint
  readonly leaf: string
}

/** Undefined when no decision with this id is in the log; its leaf may wait for its place. @param at where its leaf was seen */
export async function findDecision(
  store: Store,
  log: LogStore,
  id: string,
  at?: Place,
): Promise<Found | undefined> {
  const row = await store.get(decisionKey(id))
  if (!row) return undefined
  const stored = decodeStored(row.value)
  const place = at ?? (await placeOf(log, stored.hash))
  return place && { ...place, stored, version: row.version }
}

/** {@link findDecision}, once its leaf has its place. Undefined when there is no such decision. @throws NoDecision `unavailable`: ask again */
export async function awaitDecision(
  { log, merger, store }: Pick<Core, 'log' | 'merger' | 'store'>,
  id: string,
): Promise<Found | undefined> {
  const found = await findDecision(store, log, id)
  if (found || !merger || !(await store.get(decisionKey(id)))) return found
  const placed = await merger.until(() => findDecision(store, log, id))
  if (placed) return placed
  const what = 'the decision is committed and waits for its place in the log; ask again'
  throw new NoDecision('unavailable', what, { decisionId: id, retryAfterMs: 1000 })
}

async function placeOf(log: LogStore, hash: string): Promise<Place | undefined> {
  const index = await log.indexOf(fromHex(hash) as Uint8Array)
  if (index === undefined) return undefined
  const [leaf] = await log.leaves(index, 1)
  return leaf && { index, leaf: decoder.decode(leaf) }
}
const decoder = new TextDecoder('utf-8', { fatal: true })

/** @throws LogError when the head does not cover the decision */
export async function receiptUnder(log: LogStore, found: Found, head: Head): Promise<Receipt> {
  const path = await inclusionProof(log, found.index, head.size)
  return makeReceipt(found.leaf, found.stored.openings, found.index, { head, path })
}

export function makeReceipt(
  leaf: string,
  openings: Receipt['openings'],
  index: bigint,
  { head, path }: Proof,
): Receipt {
  const proof = formatTlogProof({ index, path, checkpoint: head.note })
  return { type: 'assay.receipt/v1', leaf, ...(openings ? { openings } : {}), proof }
}
