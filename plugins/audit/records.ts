/** Decisions as an auditor's rules see them: what their leaves say, whether anything is left to erase, and which holds fit them. */
import { parseDecimal } from '../../core/log/checkpoint.ts'
import type { DecisionLeaf, Leaf } from '../../core/log/leaves.ts'
import { type DecisionFilter, matchesFilter } from '../../core/log/query.ts'
import type { AuditedDecision, AuditReads } from '../../core/plugin.ts'
import type { Peer } from '../../core/request.ts'
import {
  type AuditFacts,
  type HoldRecord,
  MAX_RECORDS,
  MAX_SCANNED,
  type RecordFact,
} from './schema.ts'

const BUNDLE = 256

export class Records {
  readonly #reads: AuditReads
  readonly #holds: readonly HoldRecord[]
  readonly #peer: Peer
  readonly #signal: AbortSignal

  constructor(reads: AuditReads, holds: readonly HoldRecord[], peer: Peer, signal: AbortSignal) {
    this.#reads = reads
    this.#holds = holds
    this.#peer = peer
    this.#signal = signal
  }

  /** The decision, erased or not. */
  async one(id: string): Promise<AuditFacts['records']> {
    const found = await this.#reads.decision(id)
    return { items: found === undefined ? [] : [this.#describe(found)] }
  }

  /** Decisions that fit and have openings left, in the order of the log. */
  async opened(filter: DecisionFilter): Promise<AuditFacts['records']> {
    if (filter.ids !== undefined) return { items: await this.#named(filter, filter.ids) }
    const items: RecordFact[] = []
    const end = await this.#end(filter)
    const start = parseDecimal(filter.from ?? '0') as bigint
    let at = start
    while (at < end) {
      if (items.length === MAX_RECORDS || at - start >= MAX_SCANNED)
        return { items, next: at.toString() }
      const leaves = await this.#reads.leaves(at, least(BUNDLE, end - at))
      for (const bytes of leaves) {
        if (items.length === MAX_RECORDS) break
        const found = await this.#openedAt(at, bytes, filter)
        if (found) items.push(this.#describe(found))
        at++
      }
    }
    return { items }
  }

  async #named(filter: DecisionFilter, ids: readonly string[]): Promise<RecordFact[]> {
    const items: RecordFact[] = []
    for (const id of [...new Set(ids)].sort()) {
      const found = await this.#reads.decision(id)
      if (!found?.opened) continue
      if (matchesFilter(leafOf(found), found.index, filter)) items.push(this.#describe(found))
    }
    return items
  }

  async #end({ to }: DecisionFilter): Promise<bigint> {
    const size = await this.#reads.size()
    const wanted = to === undefined ? size : (parseDecimal(to) as bigint)
    return wanted < size ? wanted : size
  }

  async #openedAt(
    index: bigint,
    bytes: Uint8Array,
    filter: DecisionFilter,
  ): Promise<AuditedDecision | undefined> {
    this.#signal.throwIfAborted()
    const text = decoder.decode(bytes)
    const leaf = JSON.parse(text) as Leaf
    if (leaf.type !== 'assay.decision/v1' || !matchesFilter(leaf, index, filter)) return undefined
    const found = await this.#reads.decision(leaf.id, { index, leaf: text })
    return found?.opened ? found : undefined
  }

  #describe(found: AuditedDecision): RecordFact {
    const { action, allow, id, time } = leafOf(found)
    const { index, opened, peer } = found
    const { id: own, kind } = this.#peer
    return {
      action,
      allow,
      asked_by_peer: peer !== undefined && peer.id === own && peer.kind === kind,
      holds: this.#holds
        .filter(({ filter }) => matchesFilter(leafOf(found), index, filter))
        .map(({ name }) => name),
      id,
      index: index.toString(),
      opened,
      time,
    }
  }
}
const decoder = new TextDecoder()

const leafOf = ({ leaf }: AuditedDecision): DecisionLeaf => JSON.parse(leaf) as DecisionLeaf
const least = (count: number, left: bigint): number => (left < count ? Number(left) : count)
