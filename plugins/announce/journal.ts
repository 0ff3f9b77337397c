/**
 * The journal: revocations in the order in which they came, 64 numbers to a record. It says what a pull has to send, and what a sweep may
 * remove; what is revoked stands in `revoked/...` alone.
 */
import type { EffectContext, EffectPlan } from '../../core/plugin.ts'
import { MAX_ENTRIES, type Revocation } from '../../formats/wire/index.ts'
import { CHUNK, chunkOf, journalKey, OWN, revokedKey } from './keys.ts'
import type { Reader } from './reader.ts'
import {
  asJson,
  asRecord,
  type JournalItem,
  type JournalRecord,
  NO_OWN,
  type OwnRecord,
  type RevokedRecord,
} from './records.ts'
import type { AnnounceFacts, JournalLine } from './schema.ts'

type Writes = NonNullable<EffectPlan['writes']>

/** Chunks that one page of a set looks at. */
const SCANNED = 32
/** Chunks that one sweep looks at. */
const SWEPT = 2

/** Reads what {@link append} will write for up to `count` items. */
export async function readTail(reader: Reader, count: number): Promise<OwnRecord> {
  const own = (await reader.own<OwnRecord>(OWN)) ?? NO_OWN
  const last = chunkOf(own.sequence + Math.max(count, 1))
  for (let chunk = chunkOf(own.sequence + 1); chunk <= last; chunk++)
    await reader.own(journalKey(chunk))
  return own
}

/** The writes that add `items` with the numbers after the last one; `own` as it is then. */
export function append(
  context: EffectContext,
  items: readonly Omit<JournalItem, 'sequence'>[],
): { readonly own: OwnRecord; readonly writes: Writes } {
  let own = asRecord<OwnRecord>(context.read(OWN)) ?? NO_OWN
  const chunks = new Map<number, JournalItem[]>()
  for (const item of items) {
    own = { ...own, sequence: own.sequence + 1 }
    const chunk = chunkOf(own.sequence)
    const before = asRecord<JournalRecord>(context.read(journalKey(chunk)))?.items ?? []
    const now = chunks.get(chunk) ?? [...before]
    now.push({ ...item, sequence: own.sequence })
    chunks.set(chunk, now)
  }
  const writes = [...chunks].map(([chunk, held]) => ({
    put: journalKey(chunk),
    value: asJson({ items: held }),
  }))
  return { own, writes: items.length === 0 ? [] : [...writes, { put: OWN, value: asJson(own) }] }
}

/** What `cell` revoked after number `after`, at most {@link MAX_ENTRIES}; from the beginning where there is no such number yet. */
export async function page(
  reader: Reader,
  cell: string,
  asked: number,
): Promise<AnnounceFacts['set']> {
  const own = (await reader.own<OwnRecord>(OWN)) ?? NO_OWN
  const after = asked > own.sequence ? 0 : asked
  const first = Math.max(chunkOf(after + 1), own.oldest)
  const last = chunkOf(own.sequence)
  const entries: Revocation[] = []
  for (let chunk = first; chunk <= last; chunk++) {
    if (chunk - first === SCANNED) return { after, entries, more: true, through: chunk * CHUNK - 1 }
    const items = (await reader.own<JournalRecord>(journalKey(chunk)))?.items ?? []
    for (const item of items) {
      if (item.origin !== cell || item.sequence <= after) continue
      if (entries.length === MAX_ENTRIES)
        return { after, entries, more: true, through: item.sequence - 1 }
      entries.push(entryOf(item))
    }
  }
  return { after, entries, more: false, through: own.sequence }
}

function entryOf({ at, below, id, kind, until }: JournalItem): Revocation {
  const some = below === undefined ? {} : { below }
  const end = until === undefined ? {} : { until }
  return { at, ...some, id, kind, ...end }
}

/** The first chunks in which something may have come to its end. */
export async function sweepable(reader: Reader): Promise<AnnounceFacts['journal']> {
  const own = (await reader.own<OwnRecord>(OWN)) ?? NO_OWN
  const current = chunkOf(own.sequence + 1)
  const chunks = []
  for (let chunk = own.swept; chunk <= current && chunks.length < SWEPT; chunk++) {
    const items = (await reader.own<JournalRecord>(journalKey(chunk)))?.items ?? []
    const lines: JournalLine[] = []
    for (const item of items) lines.push(await lineOf(item, reader))
    chunks.push({ chunk, full: chunk < current, lines })
  }
  return { chunks }
}

/** The record may live longer than this line of it, and be gone when another line was swept. */
async function lineOf(
  { id, kind, reach, until = 0 }: JournalItem,
  reader: Reader,
): Promise<JournalLine> {
  const record = await reader.own<RevokedRecord>(revokedKey(kind, reach, id))
  const end = record === undefined ? until : record.until
  return { id, kind, mortal: end !== null, reach, until: end ?? 0 }
}

/** What a sweep asks for: what is due in these chunks goes, and those that are `done` are not looked at again. */
export interface SweptChunk {
  readonly chunk: number
  readonly done: boolean
  readonly due: readonly Pick<JournalLine, 'id' | 'kind' | 'reach'>[]
}

export function sweep(context: EffectContext, chunks: readonly SweptChunk[]): Writes {
  let own = asRecord<OwnRecord>(context.read(OWN)) ?? NO_OWN
  const removed = new Set<string>()
  const writes: Writes[number][] = []
  for (const { chunk, done, due } of chunks) {
    const gone = new Set(due.map(({ id, kind, reach }) => revokedKey(kind, reach, id)))
    const items = asRecord<JournalRecord>(context.read(journalKey(chunk)))?.items ?? []
    const left = items.filter(({ id, kind, reach }) => !gone.has(revokedKey(kind, reach, id)))
    for (const record of gone) removed.add(record)
    if (left.length === 0) writes.push({ remove: journalKey(chunk) })
    else if (left.length < items.length)
      writes.push({ put: journalKey(chunk), value: asJson({ items: left }) })
    if (done && chunk === own.swept) own = { ...own, swept: chunk + 1 }
    if (done && left.length === 0 && chunk === own.oldest) own = { ...own, oldest: chunk + 1 }
  }
  return [
    ...writes,
    ...[...removed].map((record) => ({ remove: record })),
    { put: OWN, value: asJson(own) },
  ]
}
