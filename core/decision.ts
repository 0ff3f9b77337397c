/** What a decision leaves behind: the leaf, which anyone may see, and the openings beside it, which are guarded and can be erased. */
import type { Core } from './core.ts'
import { randomBytes, toHex } from './crypto.ts'
import { LogError } from './error.ts'
import type { Json } from './json.ts'
import { encodeOwnLeaf, leafHash, ownCommitment } from './log/leaf.ts'
import type { Openings } from './log/receipt.ts'
import type { UnixMillis, UnixSeconds } from './ports/clock.ts'
import type { Key, Write } from './ports/store.ts'
import { utf8 } from './utf8.ts'
import type { Obligation, Reason } from './verdict.ts'

/** The kernel's own partitions: a plugin's name has no `#`. */
export const PARTITION = {
  decision: '#decision',
  idempotency: '#idempotency',
  kernel: '#kernel',
  outbox: '#outbox',
  policy: '#policy',
  probe: '#probe',
} as const

/** What was decided, as the caller will see it. */
export interface Answer {
  readonly allow: boolean
  readonly reasons: readonly Reason[]
  readonly obligations: readonly Obligation[]
  readonly output?: Json
}

/** One decision before its commit. */
export interface Draft {
  readonly id: string
  readonly action: string
  readonly now: UnixSeconds
  readonly policy: { readonly digest: string; readonly revision: string } | undefined
  readonly answer: Answer
  /** JSON text by field: `request`, `payload`, `verdict`, `output`, `facts.<name>`. */
  readonly texts: ReadonlyMap<string, string>
  readonly writes: readonly Write[]
  /** Entries that it puts into the outbox. */
  readonly outbox: number
}

/** A decision as it will be committed: one leaf, one record of openings, and the writes of its effects. */
export interface DecisionRecord {
  readonly leaf: string
  readonly leafHash: Uint8Array
  readonly openings: Openings
  readonly writes: readonly Write[]
}

/** What lies in the `#decision` partition. Erasing removes `openings`, never the rest. */
export interface StoredDecision {
  readonly hash: string
  readonly openings?: Openings
}

export function decisionKey(id: string): Key {
  return { partition: PARTITION.decision, sort: id }
}

/** 128 random bits in hex: a salt. */
export function randomSalt(): string {
  return randomDigits(32)
}

/**
 * A decision's id: 48 bits of time in milliseconds, then 80 random ones, in hex. Ids that begin alike lie side by side in a store's index, so
 * a group of decisions touches few of its pages (`docs/decisions/0005-ids-begin-with-time.md`).
 */
export function decisionId(now: UnixMillis): string {
  return now.toString(16).padStart(12, '0') + randomDigits(20)
}

/** From a pool that one call to the platform fills for hundreds of decisions. */
function randomDigits(count: number): string {
  if (poolAt + count > pool.length) {
    pool = toHex(randomBytes(POOL_BYTES))
    poolAt = 0
  }
  poolAt += count
  return pool.slice(poolAt - count, poolAt)
}
const POOL_BYTES = 32_768
let pool = ''
let poolAt = 0

/** The record of a draft, or undefined when it is larger than the log or the store takes. */
export function recordWithin(
  { development, store }: Pick<Core, 'development' | 'store'>,
  draft: Draft,
): { readonly draft: Draft; readonly record: DecisionRecord } | undefined {
  try {
    const record = recordDecision(draft, development)
    const fits = record.writes.every(
      (write) => !('put' in write) || write.value.length <= store.maxValueBytes,
    )
    return fits && record.writes.length <= store.maxBatch ? { draft, record } : undefined
  } catch (error) {
    if (error instanceof LogError && error.code === 'too_large') return undefined
    throw error
  }
}

function recordDecision(draft: Draft, development: boolean): DecisionRecord {
  const openings: Record<string, { salt: string; json: string }> = {}
  const commitments: Record<string, string> = {}
  for (const [field, json] of inOrder(draft.texts)) {
    const salt = randomSalt()
    openings[field] = { json, salt }
    commitments[field] = ownCommitment(field, salt, json)
  }
  const { action, answer, id, now, policy } = draft
  const leaf = encodeOwnLeaf({
    action,
    allow: answer.allow,
    commitments,
    id,
    ...(development ? DEVELOPMENT : {}),
    policy: policy?.digest ?? 'none',
    reasons: answer.reasons.map(({ code, rule }) => ({ code, rule })),
    revision: policy?.revision ?? 'none',
    time: now,
    type: 'assay.decision/v1',
  })
  const hash = leafHash(leaf)
  const value = encodeStored({ hash: toHex(hash), openings })
  const row: Write = { put: decisionKey(id), value, if: 'absent' }
  return { leaf, leafHash: hash, openings, writes: [row, ...draft.writes] }
}
const DEVELOPMENT = { mode: 'development' } as const

/** By field; almost every draft has them so already. */
function inOrder(texts: Draft['texts']): Iterable<readonly [field: string, text: string]> {
  let last = ''
  for (const field of texts.keys()) {
    if (field < last) return [...texts].sort(([a], [b]) => (a < b ? -1 : 1))
    last = field
  }
  return texts
}

/** One line of JSON, then the texts of all openings one after the other: JSON within JSON would be escaped at every decision. */
interface StoredHead {
  readonly hash: string
  /** Name, salt, and length of the text in UTF-16 units. */
  readonly fields?: readonly (readonly [field: string, salt: string, length: number])[]
}

/** A row of the `#decision` partition. */
export function encodeStored({ hash, openings }: StoredDecision): Uint8Array {
  if (openings === undefined) return utf8(JSON.stringify({ hash } satisfies StoredHead))
  const fields: [string, string, number][] = []
  let texts = ''
  for (const field in openings) {
    const { json, salt } = openings[field]!
    fields.push([field, salt, json.length])
    texts += json
  }
  return utf8(`${JSON.stringify({ hash, fields } satisfies StoredHead)}\n${texts}`)
}

/** What {@link encodeStored} wrote. */
export function decodeStored(value: Uint8Array): StoredDecision {
  const text = decoder.decode(value)
  const end = text.indexOf('\n')
  const { hash, fields } = JSON.parse(end < 0 ? text : text.slice(0, end)) as StoredHead
  if (fields === undefined) return { hash }
  const openings: Record<string, { salt: string; json: string }> = {}
  let at = end + 1
  for (const [field, salt, length] of fields) {
    openings[field] = { json: text.slice(at, at + length), salt }
    at += length
  }
  return { hash, openings }
}
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
