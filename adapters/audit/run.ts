/** A granted query at work: one page of the log, leaf by leaf, under one head. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseDecimal } from '../../core/log/checkpoint.ts'
import type { Leaf } from '../../core/log/leaves.ts'
import { inclusionProof } from '../../core/log/proof.ts'
import {
  type DecisionFilter,
  filterMembers,
  matchesFilter,
  scopesSchema,
} from '../../core/log/query.ts'
import { formatTlogProof } from '../../core/log/tlogproof.ts'
import type { AuditedRecord, AuditPage } from '../../core/ports/audit.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { type Found, findDecision } from '../../core/receipts.ts'
import { type Schema, schema } from '../../core/schema.ts'
import type { Head } from '../../core/seal.ts'
import { type Cut, cut } from './record.ts'
import { firstSince, SLACK_SECONDS } from './time.ts'

/** What the policy's output grants. */
export interface Grant extends Cut {
  readonly query: DecisionFilter
  readonly limit: number
}
export const grantSchema: Schema<Grant> = schema.object({
  fields: schema.array(schema.string({ maxLength: 80 }), { maxItems: 64 }),
  limit: schema.integer({ min: 1, max: 256 }),
  open: scopesSchema,
  query: schema.object({}, filterMembers),
}) as Schema<Grant>

export interface Running {
  readonly store: Store
  readonly log: LogStore
  readonly head: Head
  /** Not included; at most the head's size. */
  readonly end: bigint
}

const BUNDLE = 256
/** Leaves that one page looks at: a query that fits little comes back with a short page and goes on from there. */
const MAX_SCANNED = 16_384n

export async function runQuery(
  running: Running,
  grant: Grant,
): Promise<Pick<AuditPage, 'next' | 'records' | 'size'>> {
  const { head } = running
  const size = head.size.toString()
  const end = least(parseDecimal(grant.query.to ?? '') ?? running.end, running.end)
  const page = grant.query.ids
    ? { found: await named(running, grant.query, end) }
    : await scan(running, grant, end)
  const records: AuditedRecord[] = []
  for (const found of page.found) records.push(await prove(running, found, grant))
  return { size, records, ...('next' in page ? { next: page.next } : {}) }
}

async function named(
  { store, log }: Running,
  filter: DecisionFilter,
  end: bigint,
): Promise<readonly Found[]> {
  const wanted = [...new Set(filter.ids)].map((id) => findDecision(store, log, id))
  return (await Promise.all(wanted))
    .filter((found) => found !== undefined)
    .filter(({ index, leaf }) => index < end && matchesFilter(JSON.parse(leaf), index, filter))
    .sort((a, b) => (a.index < b.index ? -1 : 1))
}

async function scan(
  { store, log }: Running,
  { query, limit }: Grant,
  end: bigint,
): Promise<{ found: readonly Found[]; next?: { from: string; to: string } }> {
  const found: Found[] = []
  const first = query.since === undefined ? 0n : await firstSince(log, query.since, end)
  const start = greatest(parseDecimal(query.from ?? '0') ?? 0n, first)
  const goOn = (at: bigint) => ({ found, next: { from: at.toString(), to: end.toString() } })
  for (let at = start; at < end; ) {
    if (at - start >= MAX_SCANNED) return goOn(at)
    const leaves = await log.leaves(at, Number(least(BigInt(BUNDLE), end - at)))
    for (const bytes of leaves) {
      const text = decoder.decode(bytes)
      const leaf = JSON.parse(text) as Leaf
      if (leaf.type === 'assay.decision/v1') {
        if (query.until !== undefined && leaf.time >= query.until + SLACK_SECONDS) return { found }
        if (matchesFilter(leaf, at, query)) {
          if (found.length === limit) return goOn(at)
          const decision = await findDecision(store, log, leaf.id, { index: at, leaf: text })
          if (decision) found.push(decision)
        }
      }
      at++
    }
    // Decisions go on being made while somebody looks through the log.
    await nextTurn()
  }
  return { found }
}
const decoder = new TextDecoder()

async function prove({ log, head }: Running, found: Found, grant: Cut): Promise<AuditedRecord> {
  const { index } = found
  const path = await inclusionProof(log, index, head.size)
  return cut(found, formatTlogProof({ index, path, checkpoint: head.note }), grant)
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const greatest = (a: bigint, b: bigint): bigint => (a < b ? b : a)
