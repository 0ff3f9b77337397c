/**
 * What must hold after any number of kills, judged from outside: the client's ledger against the log's leaves and the store's records.
 * The Merkle root is computed here anew, from RFC 6962 alone.
 */
import { createHash } from 'node:crypto'
import type { Receipt } from '../../core/log/receipt.ts'
import type { Ledger } from './ledger.ts'

export interface Evidence {
  readonly ledger: Ledger
  /** Every leaf's text, in order. */
  readonly leaves: readonly string[]
  readonly receipts: ReadonlyMap<string, Receipt>
  /** Decision ids whose receipt does not verify against the trust anchor of the first start. */
  readonly invalidReceipts: readonly string[]
  /** The plugin's records in the store. */
  readonly records: readonly StoredRecord[]
  /** Heads that the server showed while it ran. */
  readonly heads: readonly Head[]
}
/** A subject or resource (`attributes`), an assignment (`roles`), or the number of a role's members (`members`). */
export interface StoredRecord {
  readonly id?: string
  readonly attributes?: { readonly op?: number }
  readonly roles?: readonly string[]
  readonly members?: number
}
export interface Head {
  readonly size: number
  readonly rootHash: string
}
interface Logged {
  readonly index: number
  readonly id: string
  readonly allow: boolean
  readonly op: number
}

/** Everything that is wrong; empty when nothing is. */
export function audit(evidence: Evidence): readonly string[] {
  const { logged, problems } = readLog(evidence)
  return [
    ...problems,
    ...evidence.invalidReceipts.map((id) => `decision ${id}: its receipt does not verify`),
    ...checkHeads(evidence),
    ...checkOnce(evidence, logged),
    ...checkAcknowledged(evidence, logged),
    ...checkEffects(evidence, logged),
  ]
}

/** Traces each decision's leaf to the intent behind it, through the payload that its receipt opens. */
function readLog({ leaves, receipts }: Evidence): { logged: Logged[]; problems: string[] } {
  const logged: Logged[] = []
  const problems: string[] = []
  for (const [index, text] of leaves.entries()) {
    const leaf = JSON.parse(text)
    if (leaf.type !== 'assay.decision/v1' || !leaf.action.startsWith('access.')) continue
    // A search decides nothing for anybody: that its leaf is whole and proven is all there is to check.
    if (leaf.action.startsWith('access.search-')) continue
    const receipt = receipts.get(leaf.id)
    const payload = receipt?.openings?.payload?.json
    if (payload === undefined) problems.push(`leaf ${index}: no receipt with openings`)
    else if (receipt?.leaf !== text) problems.push(`leaf ${index}: its receipt has another leaf`)
    else logged.push({ index, id: leaf.id, allow: leaf.allow, op: operationIn(payload) })
  }
  return { logged, problems }
}

function operationIn(opened: string): number {
  const payload = JSON.parse(JSON.parse(opened))
  const about = payload.subjects?.[0] ?? payload
  return about.attributes?.op ?? about.subject?.properties?.op
}

function checkOnce({ ledger }: Evidence, logged: readonly Logged[]): string[] {
  const seen = new Map<number, number>()
  const problems: string[] = []
  for (const { index, op } of logged) {
    const earlier = seen.get(op)
    if (earlier !== undefined) problems.push(`op ${op}: leaf ${earlier} and again leaf ${index}`)
    if (!ledger.entries.has(op)) problems.push(`leaf ${index}: nobody asked for op ${op}`)
    seen.set(op, index)
  }
  return problems
}

function checkAcknowledged({ ledger }: Evidence, logged: readonly Logged[]): string[] {
  const byOp = new Map(logged.map((leaf) => [leaf.op, leaf]))
  return [...ledger.entries.values()].flatMap(({ acknowledged, operation: { op }, refused }) => {
    const leaf = byOp.get(op)
    if (refused !== undefined && leaf) return [`op ${op}: refused, yet leaf ${leaf.index}`]
    if (!acknowledged) return []
    if (!leaf) return [`op ${op}: acknowledged as ${acknowledged.id}, yet not in the log`]
    const { allow, id, index } = acknowledged
    const same = leaf.id === id && leaf.allow === allow && String(leaf.index) === index
    return same ? [] : [`op ${op}: acknowledged ${id} at ${index}, logged ${leaf.id}`]
  })
}

/** The store is what the log's decisions, carried out in its order, come to: no effect without its leaf, no leaf without its effects. */
function checkEffects({ ledger, records }: Evidence, logged: readonly Logged[]): string[] {
  const expected = new Map<string, number>()
  const members = new Set<string>()
  for (const { allow, op } of logged) {
    const operation = allow ? ledger.entries.get(op)?.operation : undefined
    const written = operation?.action === 'access.evaluate' ? [] : (operation?.targets ?? [])
    for (const target of written) expected.set(target, op)
    if (operation?.action === 'access.import') for (const id of written.slice(0, 2)) members.add(id)
  }
  const found = new Map<string, number>()
  for (const { attributes, id } of records)
    if (id !== undefined && attributes?.op !== undefined) found.set(id, attributes.op)
  const assigned = records.flatMap(({ id, roles }) => (id !== undefined && roles ? [id] : []))
  const counted = records.find(({ members: count }) => count !== undefined)?.members ?? 0
  return [
    ...differences('record', expected, found),
    ...differences('assignment', numbered(members), numbered(assigned)),
    ...(counted === members.size ? [] : [`${members.size} members by the log, ${counted} counted`]),
  ]
}

const numbered = (names: Iterable<string>): Map<string, number> =>
  new Map([...names].map((name) => [name, 1]))

function differences(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string[] {
  const names = new Set([...expected.keys(), ...found.keys()])
  return [...names].flatMap((name) => {
    const [says, has] = [expected.get(name), found.get(name)]
    return says === has ? [] : [`${what} ${name}: the log says ${says}, the store has ${has}`]
  })
}

/** No head that anyone saw is ever taken back: each is the root of the first leaves of the final log. */
function checkHeads({ heads, leaves }: Evidence): string[] {
  const hashes = leaves.map((leaf) => sha256(Buffer.of(0), Buffer.from(leaf)))
  return heads.flatMap(({ rootHash, size }) => {
    if (size > hashes.length) return [`a head of ${size} leaves was shown, the log has fewer`]
    const root = rootOf(hashes.slice(0, size)).toString('base64')
    return root === rootHash ? [] : [`the head of size ${size} was taken back`]
  })
}

/** RFC 6962 section 2.1. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  const [first] = hashes
  if (first === undefined) return sha256()
  if (hashes.length === 1) return first
  const half = 2 ** (Math.ceil(Math.log2(hashes.length)) - 1)
  return sha256(Buffer.of(1), rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)))
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
