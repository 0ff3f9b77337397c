/** What the records say about a token whose signatures hold. Each record is read once, none after the signal. */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import {
  cellKey,
  EVERYWHERE,
  feedKey,
  leaseKey,
  reportedKey,
  resourceKey,
  revokedKey,
  spentKey,
} from './keys.ts'
import type {
  CellRecord,
  FeedRecord,
  LeaseRecord,
  ResourceRecord,
  RevokedRecord,
  SpentRecord,
} from './records.ts'
import type { Counter, Revocation, StateFact } from './schema.ts'
import type { Verified } from './token.ts'

export const NO_STATE: StateFact = { cell: { local: false }, counters: {}, revocations: [] }

/** Types of caveats that count end so; nothing else here knows a type. */
const COUNTED = '_budget'

export class State {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  /** @param at the cell that asks */
  async of(verified: Verified, at: string): Promise<StateFact> {
    const { issuer, token } = verified
    const { aud, iss, lease, resource } = token.authority
    const feed = issuer.local ? undefined : await this.#from<FeedRecord>('announce', feedKey(iss))
    const revocations = await this.#revocations(verified)
    const counters = await this.#counters(verified)
    const elsewhere = aud === at ? undefined : await this.#elsewhere(verified, at)
    const leased = issuer.local
      ? await this.#from<LeaseRecord>('lease', leaseKey(lease))
      : undefined
    const held = issuer.local
      ? await this.#from<ResourceRecord>('lease', resourceKey(resource))
      : undefined
    return {
      cell: { ...(feed === undefined ? {} : { as_of: feed.as_of }), local: issuer.local },
      counters,
      ...(elsewhere === undefined ? {} : { elsewhere }),
      ...(leased === undefined ? {} : { lease: leaseOf(leased) }),
      ...(held === undefined ? {} : { resource: resourceOf(held) }),
      revocations,
    }
  }

  /**
   * Entries for the token and every token that it was made from, its lease, the key that signed it, and its tenant: what its issuer says of
   * them, and of key and tenant what is said for every cell. What another cell says concerns that one's tokens.
   */
  async #revocations({ fact, token }: Verified): Promise<readonly Revocation[]> {
    const { iss, lease, tenant } = token.authority
    const signer = fact.signer as string
    const keys = [
      ...token.blocks.map(({ handle }) => revokedKey('token', iss, handle)),
      revokedKey('lease', iss, lease),
      revokedKey('key', iss, signer),
      revokedKey('key', EVERYWHERE, signer),
      revokedKey('tenant', iss, tenant),
      revokedKey('tenant', EVERYWHERE, tenant),
    ]
    const found: Revocation[] = []
    for (const key of keys) {
      const entry = await this.#from<RevokedRecord>('announce', key)
      if (entry !== undefined) found.push(revocationOf(entry))
    }
    return found
  }

  /** Of each caveat that counts, in the order in which the fact has their values. */
  async #counters({ token }: Verified): Promise<StateFact['counters']> {
    const counters = new Map<string, Counter[]>()
    for (const { caveats, handle } of token.blocks) {
      for (const [place, { t }] of caveats.entries()) {
        if (!t.endsWith(COUNTED)) continue
        const key = `${handle}/${place}`
        const spent = (await this.#own(spentKey(key))) as unknown as SpentRecord | undefined
        const counter = { amount: spent?.amount ?? 0, key, since: spent?.since ?? 0 }
        const known = counters.get(t)
        if (known === undefined) counters.set(t, [counter])
        else known.push(counter)
      }
    }
    return Object.fromEntries(counters)
  }

  /** Of a token for another cell: whether that was told, and with which key the cell that asks can say so. */
  async #elsewhere({ issuer, token }: Verified, at: string): Promise<StateFact['elsewhere']> {
    const reported = await this.#own(
      reportedKey((token.blocks[0] as { handle: string }).handle, at),
    )
    const cell =
      at === token.authority.iss ? issuer : await this.#from<CellRecord>('enrolment', cellKey(at))
    const custody = cell?.keys.findLast(({ state }) => state === 'active')?.custody
    return { ...(custody === undefined ? {} : { custody }), reported: reported !== undefined }
  }

  async #own(sort: string): Promise<Json | undefined> {
    this.#signal.throwIfAborted()
    return this.#read.get(sort)
  }

  async #from<Record>(plugin: string, sort: string): Promise<Record | undefined> {
    this.#signal.throwIfAborted()
    return (await this.#read.getFrom(plugin, sort)) as Record | undefined
  }
}

function leaseOf(lease: LeaseRecord): LeaseRecord {
  const { cell, expires_at, generation, resource, state, tenant } = lease
  return { cell, expires_at, generation, resource, state, tenant }
}

function resourceOf({ lease, state }: ResourceRecord): ResourceRecord {
  return { ...(lease === undefined ? {} : { lease }), state }
}

function revocationOf({ below, kind, until }: RevokedRecord): Revocation {
  return {
    ...(below === undefined ? {} : { below }),
    kind,
    ...(until === null ? {} : { until }),
  }
}
