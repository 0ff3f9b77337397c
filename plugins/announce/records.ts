/** The plugin's records, as they lie in the store. Members are sorted by name. */
import type { Json } from '../../core/json.ts'
import type { MessageType, Revocation, RevocationKind } from '../../formats/wire/index.ts'

/** `revoked/KIND/REACH/ID`. */
export interface RevokedRecord {
  readonly at: number
  /** Of a lease: tokens of generations below it are dead. Absent: all of them. */
  readonly below?: number
  readonly id: string
  readonly kind: RevocationKind
  /** The cell that said so first. */
  readonly origin: string
  /** The cell whose tokens it concerns, or `*`: everywhere. */
  readonly reach: string
  /** Of the message that said so last. */
  readonly sequence: number
  /** After it the entry counts no more, Unix seconds; null: for ever. */
  readonly until: number | null
}

/** `feed/CELL`: everything that the cell revoked up to `sequence` is known, and nothing newer than `as_of` can be missing from it. */
export interface FeedRecord {
  readonly as_of: number
  readonly cell: string
  /** The highest number that was heard of. Over `sequence`: something is missing. */
  readonly seen: number
  readonly sequence: number
  readonly signer: string
}

/** `signer/KEY` */
export interface SignerRecord {
  readonly sequence: number
  readonly time: number
}

/** `delegate/KEY`. A revoked one stays, so that nobody brings it back. */
export interface DelegateRecord {
  /** The controller's key that signed it. */
  readonly by?: string
  readonly cells?: readonly string[]
  readonly expires: number
  readonly not_before: number
  readonly public_key: string
  readonly revoked: boolean
  readonly types: readonly MessageType[]
}

/** `own` */
export interface OwnRecord {
  /** The first chunk of the journal that is left. */
  readonly oldest: number
  readonly sequence: number
  /** The first chunk of the journal in which something may still come to its end. */
  readonly swept: number
}
export const NO_OWN: OwnRecord = { oldest: 0, sequence: 0, swept: 0 }

/** A revocation, and whose tokens it concerns. */
export interface Reaching extends Revocation {
  readonly reach: string
}

/** One line of the journal: what was revoked, in order, until it comes to its end. */
export interface JournalItem extends Reaching {
  readonly origin: string
  readonly sequence: number
}
/** `journal/CHUNK` */
export interface JournalRecord {
  readonly items: readonly JournalItem[]
}

/** Revoking never gets weaker: of two entries for one thing, what either of them kills is dead, for as long as either says. */
export function merged(
  before: RevokedRecord | undefined,
  entry: RevokedRecord,
  now: number,
): RevokedRecord {
  if (before === undefined || (before.until !== null && before.until < now)) return entry
  const { below: _, ...rest } = entry
  const until =
    before.until === null || entry.until === null ? null : Math.max(before.until, entry.until)
  const below =
    before.below === undefined || entry.below === undefined
      ? {}
      : { below: Math.max(before.below, entry.below) }
  return { ...rest, ...below, at: before.at, origin: before.origin, until }
}

/** Whether merging it made no difference to what is dead, or for how long. */
export const says = (before: RevokedRecord | undefined, after: RevokedRecord): boolean =>
  before !== undefined && before.until === after.until && before.below === after.below

export function revokedRecord(
  { at, below, id, kind, reach, until }: Reaching,
  origin: string,
  sequence: number,
): RevokedRecord {
  const some = below === undefined ? {} : { below }
  return { at, ...some, id, kind, origin, reach, sequence, until: until ?? null }
}

/** A record that only this plugin writes, in the shape in which it does. */
export const asRecord = <T>(value: Json | undefined): T | undefined => value as T | undefined
export const asJson = (record: object): Json => record as Json
