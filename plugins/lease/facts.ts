/** The plugin `lease`: who has which resource of a cell, for how long, and what has to happen before somebody else has it. See README.md. */
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { callerOf, NO_CALLER } from '../../formats/call/index.ts'
import { defined, type Readable, readPayload } from './asked.ts'
import { leaseEffects } from './effects.ts'
import {
  cellKey,
  dueKey,
  EVERYWHERE,
  leaseKey,
  resourceKey,
  revokedKey,
  tenantKey,
} from './keys.ts'
import type {
  CellRecord,
  LeaseRecord,
  ResourceRecord,
  RevokedRecord,
  TenantRecord,
} from './records.ts'
import { actions, type LeaseFacts, leaseSchema, type Revoked } from './schema.ts'

const NOTHING: Omit<LeaseFacts, 'payload'> = {
  caller: NO_CALLER,
  cell: { custody: '', found: false, local: false, name: '' },
  claimed: { why: '' },
  lease: { found: false },
  resource: { found: false, name: '' },
  revoked: {},
  tenant: { found: false, name: '', state: '' },
}

async function facts(
  request: Request,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<LeaseFacts> {
  signal.throwIfAborted()
  const readable = readPayload(request)
  if ('problem' in readable)
    return ordered({ ...NOTHING, payload: { check: 'malformed', problem: readable.problem } })
  if (readable.payload.check !== 'valid') return ordered({ ...NOTHING, payload: readable.payload })
  return ordered(await new Gathering(read, signal).gather(request.action, readable, now))
}

/** Reads what one request is about: each record once, none after the signal. */
class Gathering {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal
  readonly #known = new Map<string, Json | undefined>()

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  async gather(action: string, { asked, body, call, payload }: Readable, now: UnixSeconds) {
    const reads = {
      cell: this.#cell,
      nonces: this.#own,
      revoked: (sort: string) => this.#once('announce', sort),
    }
    const caller = await callerOf(call, { action, body }, reads, now)
    const said = { ...NOTHING, caller, claimed: { why: asked.why ?? '' }, payload }
    // A call whose signature does not hold looks nothing up.
    if (caller.check !== 'absent' && caller.check !== 'valid') return said
    const lease = (asked.lease && (await this.#own(leaseKey(asked.lease)))) as
      | LeaseRecord
      | undefined
    const name = asked.resource ?? lease?.resource
    const resource = (name && (await this.#own(resourceKey(name)))) as ResourceRecord | undefined
    const found: LeaseFacts = {
      ...said,
      lease: defined({ found: lease !== undefined, record: lease }) as LeaseFacts['lease'],
      resource: defined({
        found: resource !== undefined,
        name: name ?? '',
        record: resource,
      }) as LeaseFacts['resource'],
    }
    await this.#index(action, lease, now + (asked.ttl ?? 0))
    const cell = asked.cell ?? lease?.cell
    if (cell === undefined || !issuing.has(action)) return found
    return { ...found, ...(await this.#issuer(cell, asked.tenant ?? lease?.tenant, lease)) }
  }

  /** The places in the index of due leases that a transition may write. */
  async #index(action: string, lease: LeaseRecord | undefined, ends: UnixSeconds): Promise<void> {
    if (lease?.state !== 'active' || action === 'lease.torn-down') return
    const now = dueKey(lease.expires_at, lease.lease)
    const next = dueKey(ends, lease.lease)
    await this.#own(now)
    if (action === 'lease.renew' && next !== now) await this.#own(next)
  }

  /** What has to stand before a cell issues anything to a tenant. */
  async #issuer(
    name: string,
    tenant: string | undefined,
    lease: LeaseRecord | undefined,
  ): Promise<Pick<LeaseFacts, 'cell' | 'revoked' | 'tenant'>> {
    const cell = (await this.#cell(cellKey(name))) as CellRecord | undefined
    const key = cell?.keys.find((one) => one.state === 'active' && one.custody !== undefined)
    const known = (tenant && (await this.#from('enrolment', tenantKey(tenant)))) as
      | TenantRecord
      | undefined
    return {
      cell: {
        custody: key?.custody ?? '',
        found: cell !== undefined,
        local: cell?.local ?? false,
        name,
      },
      revoked: defined({
        key: key && (await this.#revokedAt('key', name, key.public_key)),
        lease: lease && (await this.#revoked('lease', name, lease.lease)),
        tenant: tenant && (await this.#revokedAt('tenant', name, tenant)),
      }),
      tenant: { found: known !== undefined, name: tenant ?? '', state: known?.state ?? '' },
    }
  }

  /** What the cell says of its own tokens, or what is said for every cell: whichever lasts longer. */
  async #revokedAt(kind: 'key' | 'tenant', cell: string, id: string): Promise<Revoked | undefined> {
    const here = await this.#revoked(kind, cell, id)
    const everywhere = await this.#revoked(kind, EVERYWHERE, id)
    if (here === undefined || everywhere === undefined) return here ?? everywhere
    return lastsFor(here) > lastsFor(everywhere) ? here : everywhere
  }

  async #revoked(
    kind: 'key' | 'lease' | 'tenant',
    reach: string,
    id: string,
  ): Promise<Revoked | undefined> {
    const sort = revokedKey(kind, reach, id)
    const entry = (await this.#once('announce', sort)) as RevokedRecord | undefined
    if (entry === undefined) return undefined
    const { below, until } = entry
    return defined({ below, until: until ?? undefined })
  }

  readonly #own = async (sort: string): Promise<Json | undefined> => {
    this.#signal.throwIfAborted()
    return this.#read.get(sort)
  }

  readonly #cell = (sort: string): Promise<Json | undefined> => this.#once('enrolment', sort)

  /** The caller's cell and key are often those that issue. */
  async #once(plugin: string, sort: string): Promise<Json | undefined> {
    if (!this.#known.has(sort)) this.#known.set(sort, await this.#from(plugin, sort))
    return this.#known.get(sort)
  }

  async #from(plugin: string, sort: string): Promise<Json | undefined> {
    this.#signal.throwIfAborted()
    return this.#read.getFrom(plugin, sort)
  }
}
const lastsFor = ({ until = Number.POSITIVE_INFINITY }: Revoked): number => until
const issuing: ReadonlySet<string> = new Set(['lease.add-resource', 'lease.grant', 'lease.renew'])

function ordered({
  caller,
  cell,
  claimed,
  lease,
  payload,
  resource,
  revoked,
  tenant,
}: LeaseFacts): LeaseFacts {
  return { caller, cell, claimed, lease, payload, resource, revoked, tenant }
}

export const lease: Plugin<LeaseFacts> = {
  name: 'lease',
  actions,
  schema: leaseSchema,
  reads: ['announce', 'enrolment'],
  effects: leaseEffects,
  facts,
}
