/** Leaves that are committed and wait for their place. */
import type { UnixMillis } from '../../../core/ports/clock.ts'
import type { Client } from './client.ts'
import { pendingPks } from './keys.ts'

export interface PendingLeaf {
  /** RFC 6962 leaf hash, hex. */
  readonly hash: string
  readonly leaf: Uint8Array
  readonly at: UnixMillis
}

/** Of each shard in one look: all of it together is what one integration takes. */
const PER_SHARD = 64

export class PendingLeaves {
  readonly #client: Client
  readonly #pks: readonly string[]
  /** Where a shard had more than one look takes: the next one goes on there, lest the first hashes always come first. */
  readonly #after = new Map<string, string>()

  constructor(client: Client, prefix: string) {
    this.#client = client
    this.#pks = pendingPks(prefix)
  }

  /** The oldest first. `more`: there may be others, where not every shard was read from its beginning to its end. */
  async look(): Promise<{ readonly leaves: readonly PendingLeaf[]; readonly more: boolean }> {
    // What the look before this one saw need not have got its place.
    const goesOn = this.#after.size > 0
    const pages = await Promise.all(this.#pks.map((pk) => this.#page(pk)))
    const leaves = pages.flat().sort((a, b) => a.at - b.at || (a.hash < b.hash ? -1 : 1))
    return { leaves, more: goesOn || this.#after.size > 0 }
  }

  async any(): Promise<boolean> {
    const first = this.#pks.map((pk) => this.#client.page({ pk, prefix: '', limit: 1 }))
    return (await Promise.all(first)).some(({ items }) => items.length > 0)
  }

  async #page(pk: string): Promise<PendingLeaf[]> {
    const after = this.#after.get(pk)
    const from = after === undefined ? {} : { after }
    const { items, next } = await this.#client.page({ pk, prefix: '', limit: PER_SHARD, ...from })
    if (next !== undefined) this.#after.set(pk, next)
    else this.#after.delete(pk)
    return items.map((item) => ({
      hash: item.sk?.S ?? '',
      leaf: item.leaf?.B ?? new Uint8Array(),
      at: Number(item.at?.N ?? 0),
    }))
  }
}
