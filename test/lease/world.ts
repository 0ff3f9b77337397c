/** A kernel beside models of its resources: what is asked of both has to come out the same, in the answer, in the records and in the log. */
import { expect } from 'vitest'
import type { ManualClock } from '../../adapters/clock/manual.ts'
import type { DecisionLeaf, Leaf } from '../../core/log/leaves.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { LeaseRecord } from '../../plugins/lease/records.ts'
import { CELL, code, type Leasing, publicKey, read, TENANT } from './kit.ts'
import { type Asked, Model } from './model.ts'
import type { Cell, Table } from './table.ts'

const KEY = publicKey()

/** What came of a request, as the leaf has it. */
interface Told {
  readonly action: string
  readonly allow: boolean
  readonly code: string
}

type Ask = Readonly<{
  add(resource: string): Asked
  grant(resource: string, ttl: number): Asked
  renew(lease: string, generation: number, ttl: number): Asked
  end(verb: 'expire' | 'free' | 'revoke', lease: string): Asked
  report(resource: string, lease: string, epoch: number, ok: boolean): Asked
  requestReset(resource: string): Asked
  observe(resource: string, epoch: number): Asked
}>

export const ask: Ask = {
  add: (resource) => ({
    action: 'lease.add-resource',
    payload: { cell: CELL, resource },
  }),
  grant: (resource, ttl) => ({
    action: 'lease.grant',
    payload: { cell: CELL, nk: KEY, resource, tenant: TENANT, ttl },
  }),
  renew: (lease, generation, ttl) => ({
    action: 'lease.renew',
    payload: { generation, lease, nk: KEY, ttl },
  }),
  end: (verb, lease) => ({
    action: `lease.${verb}`,
    payload: { lease },
  }),
  report: (resource, lease, epoch, ok) => ({
    action: 'lease.torn-down',
    payload: { epoch, lease, ok, resource },
  }),
  requestReset: (resource) => ({
    action: 'lease.request-reset',
    payload: { resource },
  }),
  observe: (resource, epoch) => ({
    action: 'lease.observed',
    payload: { epoch, resource, state: 'reset' },
  }),
}

export class World<C extends Clock = ManualClock> {
  readonly place: Leasing<C>
  readonly models: Map<string, Model> = new Map<string, Model>()
  readonly #told = new Map<string, Told>()
  readonly #table: Table

  constructor(place: Leasing<C>, table: Table) {
    this.place = place
    this.#table = table
  }

  model(resource: string): Model {
    const known = this.models.get(resource) ?? new Model(this.#table)
    this.models.set(resource, known)
    return known
  }

  /** One request, compared in everything. */
  async perform(resource: string, asked: Asked): Promise<void> {
    await this.together([[resource, asked]])
  }

  /**
   * Requests at the same time. The log says in which order they were decided, and in that order the models must agree. A denial may be older:
   * it changes nothing, so nothing is checked at its commit, and it has to be right for one moment since it was asked for.
   */
  async together(requests: readonly (readonly [resource: string, asked: Asked])[]): Promise<void> {
    const now = this.place.now()
    const decided = await Promise.all(
      requests.map(async ([resource, asked]) => {
        const decision = await this.place.decide(asked.action, asked.payload)
        return { asked, decision, resource }
      }),
    )
    decided.sort((a, b) => Number(a.decision.index) - Number(b.decision.index))
    const moments = new Map<string, Model[]>()
    for (const { asked, decision, resource } of decided) {
      const { allow, id } = decision
      const told = { action: asked.action, allow, code: code(decision) }
      this.#told.set(id, told)
      const model = this.model(resource)
      const past = moments.get(resource) ?? []
      moments.set(resource, [...past, model.copy()])
      const cells = [...(allow ? [] : past), model].map((moment) => moment.expected(asked, now))
      expect(
        cells.map(({ allow, code }) => ({ action: asked.action, allow, code })),
      ).toContainEqual(told)
      model.apply(asked, allow ? (cells.at(-1) as Cell) : {}, id, now)
    }
    for (const resource of new Set(requests.map(([name]) => name))) await this.#compare(resource)
  }

  async #compare(resource: string): Promise<void> {
    const model = this.model(resource)
    const record = await this.place.resource(resource)
    const { active, ended, epoch, state } = model
    if (state === 'new') return expect(record).toBeUndefined()
    const holder = state === 'free' ? undefined : (active?.lease ?? ended.at(-1)?.lease)
    const held = { state: record?.state, epoch: record?.epoch, lease: record?.lease }
    expect(held).toEqual({ state, epoch, lease: holder })
    if (active)
      expect(await this.place.lease(active.lease)).toMatchObject({
        expires_at: active.expires,
        generation: active.generation,
        state: 'active',
      })
    for (const { done, epoch, how, lease } of ended) {
      const outcome = done === undefined ? {} : { outcome: done ? 'done' : 'failed' }
      const { state, teardown } = (await this.place.lease(lease)) as LeaseRecord
      expect({ state, teardown }).toEqual({ state: how, teardown: { epoch, ...outcome } })
    }
  }

  /** Over all records: no resource has two active leases, and the index names the active ones and no other. */
  async checkRecords(): Promise<void> {
    const { store } = this.place
    const active: LeaseRecord[] = []
    for await (const { key } of store.list('lease', 'lease/')) {
      const record = (await read(store, key.sort)) as unknown as LeaseRecord
      if (record.state === 'active') active.push(record)
    }
    expect(new Set(active.map(({ resource }) => resource)).size).toBe(active.length)
    const index: string[] = []
    for await (const { key } of store.list('lease', 'due/')) index.push(key.sort)
    const due = active.map(
      ({ expires_at, lease }) => `due/${String(expires_at).padStart(12, '0')}/${lease}`,
    )
    expect(index).toEqual(due.sort())
  }

  /** Lives what the log tells, and compares what it comes to with the records. @returns the plugin's decisions, in their order */
  async replay(): Promise<readonly { readonly id: string; readonly action: string }[]> {
    const leaves = await this.#leaves()
    for (const { action, allow, id, reasons, time } of leaves) {
      const asked = { action, payload: await this.#payload(id) }
      const resource = resourceOf(asked, this.models)
      const model = this.model(resource)
      const cell = model.expected(asked, time)
      expect({ action, allow, code: reasons[0]?.code }).toEqual({
        action,
        allow: cell.allow,
        code: cell.code,
      })
      model.apply(asked, cell, id, time)
    }
    for (const resource of this.models.keys()) await this.#compare(resource)
    return leaves
  }

  async #payload(decision: string): Promise<Asked['payload']> {
    const { openings } = (await this.place.kernel.receipt(decision)) ?? {}
    return JSON.parse(JSON.parse(openings?.payload?.json ?? '""'))
  }

  /** Every decision has its leaf and every leaf of the plugin is one of them. */
  async checkLog(): Promise<void> {
    const leaves = await this.#leaves()
    expect(new Map(leaves.map((leaf) => [leaf.id, toldBy(leaf)]))).toEqual(this.#told)
  }

  async #leaves(): Promise<readonly DecisionLeaf[]> {
    const { log } = this.place
    const found: DecisionLeaf[] = []
    const size = await log.size()
    for (let at = 0n; at < size; at += 256n)
      for (const bytes of await log.leaves(at, 256)) {
        const leaf = JSON.parse(new TextDecoder().decode(bytes)) as Leaf
        if (leaf.type === 'assay.decision/v1' && leaf.action.startsWith('lease.')) found.push(leaf)
      }
    return found
  }
}

function toldBy({ action, allow, reasons }: DecisionLeaf): Told {
  return { action, allow, code: reasons.map(({ code }) => code).join(' ') }
}

/** A lease is of the resource whose model knows it. */
function resourceOf({ payload }: Asked, models: ReadonlyMap<string, Model>): string {
  if (typeof payload.resource === 'string') return payload.resource
  for (const [resource, { active, ended }] of models)
    if ([active, ...ended].some((one) => one?.lease === payload.lease)) return resource
  throw new Error('a lease that nobody granted')
}
