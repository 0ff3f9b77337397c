/** What is learned of another cell: which revocations it tells, and how far its own word goes. */
import { effectKind } from '../../core/effect-kind.ts'
import type { EffectContext, EffectKind } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { MAX_ENTRIES, members } from '../../formats/wire/index.ts'
import { type Put, put } from './effect.ts'
import { append } from './journal.ts'
import { feedKey, revokedKey } from './keys.ts'
import {
  asRecord,
  type FeedRecord,
  merged,
  type Reaching,
  type RevokedRecord,
  revokedRecord,
  says,
} from './records.ts'
import { reach } from './schema.ts'

const { array, boolean, literal, object } = schema
const { count, id, key, kind, name } = members

interface Learned {
  readonly cell: string
  readonly entries: readonly Reaching[]
  readonly sequence: number
}
const reaching = object({ at: count, id, kind, reach }, { below: count, until: count })
export const learn: EffectKind = effectKind(
  object({
    cell: name,
    entries: array(reaching as Schema<Reaching>, { maxItems: MAX_ENTRIES }),
    kind: literal('announce.learn'),
    sequence: count,
  }),
  (learned: Learned, context) => ({ writes: entriesOf(learned, context) }),
)

interface Followed {
  readonly after: number
  readonly as_of: number
  readonly cell: string
  readonly complete: boolean
  readonly sequence: number
  readonly signer: string
}
/** How far the cell's own word goes. */
export const follow: EffectKind = effectKind(
  object({
    after: count,
    as_of: count,
    cell: name,
    complete: boolean(),
    kind: literal('announce.follow'),
    sequence: count,
    signer: key,
  }),
  (followed: Followed, context) => {
    const sort = feedKey(followed.cell)
    return { writes: [put(sort, nextFeed(asRecord(context.read(sort)), followed))] }
  },
)

/** `complete`: with what was known before, nothing up to `sequence` is missing. */
function nextFeed(before: FeedRecord | undefined, followed: Followed): FeedRecord {
  const { after, as_of, cell, complete, sequence, signer } = followed
  const known = before?.sequence ?? 0
  const reached = after <= known ? Math.max(known, sequence) : known
  return {
    as_of: complete ? Math.max(before?.as_of ?? 0, as_of) : (before?.as_of ?? 0),
    cell,
    seen: Math.max(before?.seen ?? 0, sequence),
    sequence: reached,
    signer,
  }
}

function entriesOf({ cell, entries, sequence }: Learned, context: EffectContext): readonly Put[] {
  const records = new Map<string, RevokedRecord>()
  const mortal: Reaching[] = []
  for (const entry of entries) {
    const sort = revokedKey(entry.kind, entry.reach, entry.id)
    const before = records.get(sort) ?? asRecord<RevokedRecord>(context.read(sort))
    const after = merged(before, revokedRecord(entry, cell, sequence), context.now)
    // A copy makes nothing grow.
    if (says(before, after)) continue
    records.set(sort, after)
    // What has no end is never swept, and what others revoked they send themselves.
    if (entry.until !== undefined) mortal.push(entry)
  }
  const { writes } = append(
    context,
    mortal.map((entry) => ({ ...entry, origin: cell })),
  )
  return [...[...records].map(([sort, record]) => put(sort, record)), ...writes]
}
