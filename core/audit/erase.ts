/**
 * Erasing: the openings of a decision go, its leaf and its proofs stay. Only the plugin that the composition root names as auditor reads
 * decisions, and only what its facts read can be erased, so that nothing changes between the facts and the commit.
 */
import { decisionKey, encodeStored } from '../decision.ts'
import type { KeyMap } from '../keymap.ts'
import type { AuditedDecision, AuditReads } from '../plugin.ts'
import type { LogStore } from '../ports/logstore.ts'
import type { Store, Version, Write } from '../ports/store.ts'
import { findDecision, type Place } from '../receipts.ts'
import type { Peer } from '../request.ts'

interface Read {
  readonly version: Version
  readonly hash: string
  readonly opened: boolean
}

/** One instance serves one attempt at one decision. */
export class AuditedReads implements AuditReads {
  readonly #store: Store
  readonly #log: LogStore
  readonly #reads = new Map<string, Read>()

  constructor(store: Store, log: LogStore) {
    this.#store = store
    this.#log = log
  }

  size(): Promise<bigint> {
    return this.#log.size()
  }

  leaves(from: bigint, count: number): Promise<readonly Uint8Array[]> {
    return this.#log.leaves(from, count)
  }

  async decision(id: string, at?: Place): Promise<AuditedDecision | undefined> {
    const found = await findDecision(this.#store, this.#log, id, at)
    if (!found) return undefined
    const { index, leaf, stored, version } = found
    const { hash, openings } = stored
    const known = this.#reads.get(id)
    if (known && known.version !== version) throw new RangeError('the record changed meanwhile')
    const opened = openings !== undefined
    this.#reads.set(id, { version, hash, opened })
    const peer = openings?.request && (JSON.parse(openings.request.json) as { peer: Peer }).peer
    return { index, leaf, opened, ...(peer ? { peer } : {}) }
  }

  /** @throws RangeError: facts did not read it */
  erasure(id: string): Write {
    const read = this.#reads.get(id)
    if (!read) throw new RangeError('only a decision that facts read can be erased')
    return { put: decisionKey(id), value: encodeStored({ hash: read.hash }), if: read.version }
  }

  /** Checks of every decision that was read, but for those that the batch erases anyway. What was erased stays so, and needs none. */
  checks(written: KeyMap<true>): Write[] {
    const checks: Write[] = []
    for (const [id, { opened, version }] of this.#reads) {
      const check = decisionKey(id)
      if (opened && !written.has(check)) checks.push({ check, if: version })
    }
    return checks
  }
}
