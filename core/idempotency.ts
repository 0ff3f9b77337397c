/** The same key from the same peer means the same decision for five minutes; with another request it is a mistake. */

import { nextTurn } from './commit.ts'
import { sha256Hex } from './crypto.ts'
import { PARTITION, randomSalt } from './decision.ts'
import { NoDecision } from './error.ts'
import { commitment } from './log/leaf.ts'
import type { Clock, UnixMillis } from './ports/clock.ts'
import type { Batch, Key, Store, Version, Write } from './ports/store.ts'
import type { Request } from './request.ts'

export const IDEMPOTENCY_MS: number = 5 * 60 * 1000

interface Row {
  readonly id: string
  readonly salt: string
  readonly digest: string
  readonly expires: number
}

interface Expiring {
  readonly key: Key
  readonly expires: UnixMillis
}

/** What the key says: the decision that it stands for already, or the write that binds it to a new one. */
export type Claim = { readonly decided: string } | { bind(decisionId: string): Write }

export class Idempotency {
  readonly #store: Store
  readonly #clock: Clock
  /** In the order of their expiry. */
  #expiring: Expiring[] = []
  /** When the rows of others are looked for next, where several processes write. */
  #lookAt: UnixMillis

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#lookAt = clock.now() + IDEMPOTENCY_MS
  }

  /** Finds the rows that an earlier process left behind. Where several processes write that is for a later sweep: a start is not to wait for it. */
  async open(): Promise<void> {
    if (this.#store.ordersOnCommit) await this.#find(() => true)
  }

  async #find(wanted: (expires: UnixMillis) => boolean): Promise<void> {
    const found: Expiring[] = []
    for await (const { key, value } of this.#store.list(PARTITION.idempotency, '')) {
      const { expires } = parse(value)
      if (wanted(expires)) found.push({ key, expires })
    }
    this.#expiring = [...found, ...this.#expiring].sort((a, b) => a.expires - b.expires)
  }

  /** What expired so long ago was left behind: the process that bound it would have removed it. */
  async #findLeft(now: UnixMillis): Promise<void> {
    if (this.#store.ordersOnCommit || now < this.#lookAt) return
    await this.#find((expires) => expires + IDEMPOTENCY_MS <= now)
    this.#lookAt = now + IDEMPOTENCY_MS
  }

  /** @throws NoDecision `idempotency_mismatch` */
  async claim(request: Request, idempotencyKey: string): Promise<Claim> {
    const { peer } = request
    const sort = sha256Hex(JSON.stringify([peer.kind, peer.id, idempotencyKey]))
    const key: Key = { partition: PARTITION.idempotency, sort }
    const said = JSON.stringify([request.action, request.obligations, request.payload.text])
    const stored = await this.#store.get(key)
    const row = stored && parse(stored.value)
    if (row && row.expires > this.#clock.now()) {
      if (commitment('idempotency', row.salt, said) === row.digest) return { decided: row.id }
      throw new NoDecision(
        'idempotency_mismatch',
        'this key was used with another request; use a new key',
      )
    }
    return { bind: (id) => this.#bind(key, id, said, stored?.version ?? 'absent') }
  }

  #bind(key: Key, id: string, said: string, version: Version | 'absent'): Write {
    const salt = randomSalt()
    const expires = this.#clock.now() + IDEMPOTENCY_MS
    const row: Row = { id, salt, digest: commitment('idempotency', salt, said), expires }
    this.#expiring.push({ key, expires })
    return { put: key, value: encoder.encode(JSON.stringify(row)), if: version }
  }

  /**
   * Removes the rows that have expired; one that was bound anew meanwhile stays. Decisions have their turns in between.
   *
   * @throws whatever the store does: what is left goes with the next sweep
   */
  async sweep(): Promise<void> {
    const now = this.#clock.now()
    await this.#findLeft(now)
    const found = this.#expiring.findIndex(({ expires }) => expires > now)
    const due = this.#expiring.splice(0, found < 0 ? this.#expiring.length : found)
    for (let at = 0; at < due.length; at += SWEPT) {
      try {
        await this.#remove(due.slice(at, at + SWEPT), now)
      } catch (error) {
        this.#expiring = [...due.slice(at), ...this.#expiring]
        throw error
      }
      await nextTurn()
    }
  }

  async #remove(due: readonly Expiring[], now: UnixMillis): Promise<void> {
    const batches: Batch[] = []
    for (const { key } of due) {
      const stored = await this.#store.get(key)
      if (stored && parse(stored.value).expires <= now)
        batches.push({ writes: [{ remove: key, if: stored.version }] })
    }
    if (batches.length > 0) await this.#store.commit(batches)
  }
}
/** Rows that one write removes. */
const SWEPT = 256
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const parse = (value: Uint8Array): Row => JSON.parse(decoder.decode(value)) as Row
