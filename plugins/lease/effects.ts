/**
 * What Rego may ask for: the transitions of docs/lease.md. A plan is a pure function of the effect and of the records as `facts` read them;
 * one that finds another state than the rule promised throws, which makes the decision a denial. None may run on a deny.
 */
import { effectKind } from '../../core/effect-kind.ts'
import type { EffectContext, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { heardMembers, NAME, nonceKey, PUBLIC_KEY, withNonce } from '../../formats/call/index.ts'
import { dueKey, leaseKey, resourceKey } from './keys.ts'
import type { LeaseRecord, LeaseStatus, ResourceRecord } from './records.ts'
import { members } from './schema.ts'
import { tokenOf } from './token.ts'

type Write = NonNullable<EffectPlan['writes']>[number]
type Outbox = NonNullable<EffectPlan['outbox']>[number]

const { boolean, literal, object, string } = schema
const { caveats, jti, lease, resource, seconds, why } = members

const add = effectKind(
  object({ cell: NAME, kind: literal('lease.add'), resource }),
  ({ cell, resource }, { now }) => ({
    writes: [put({ cell, epoch: 0, resource, since: now, state: 'free' })],
  }),
)

const grant = effectKind(
  object(
    {
      caveats,
      cell: NAME,
      custody: string({ maxLength: 63 }),
      expires_at: seconds,
      kind: literal('lease.grant'),
      nk: PUBLIC_KEY,
      resource,
      tenant: NAME,
    },
    { cnf: PUBLIC_KEY, jti },
  ),
  ({ caveats, cell, cnf, custody, expires_at, jti, nk, resource, tenant }, context) => {
    const { decisionId, now } = context
    const held = resourceIn('free', resource, context)
    const record: LeaseRecord = {
      caveats,
      cell,
      ...(cnf === undefined ? {} : { cnf }),
      expires_at,
      generation: 1,
      granted_at: now,
      lease: decisionId,
      resource,
      state: 'active',
      tenant,
    }
    return {
      writes: [
        { put: leaseKey(decisionId), value: { ...record } },
        { put: dueKey(expires_at, decisionId), value: {} },
        put(moved(held, { lease: decisionId, state: 'leased' }, now)),
      ],
      ...tokenOf(record, { custody, jti, nk, now }),
    }
  },
)

const renew = effectKind(
  object(
    {
      custody: string({ maxLength: 63 }),
      dead_until: seconds,
      expires_at: seconds,
      kind: literal('lease.renew'),
      lease,
      nk: PUBLIC_KEY,
    },
    { jti },
  ),
  ({ custody, dead_until, expires_at, jti, lease, nk }, context) => {
    const old = activeLease(lease, context)
    const record = { ...old, expires_at, generation: old.generation + 1 }
    const from = dueKey(old.expires_at, lease)
    const to = dueKey(expires_at, lease)
    const moves: readonly Write[] = from === to ? [] : [{ remove: from }, { put: to, value: {} }]
    return {
      writes: [{ put: leaseKey(lease), value: { ...record } }, ...moves],
      outbox: [revocation(record, dead_until, record.generation)],
      ...tokenOf(record, { custody, jti, nk, now: context.now }),
    }
  },
)

const end = effectKind(
  object({
    dead_until: seconds,
    kind: literal('lease.end'),
    lease,
    state: literal('expired', 'freed', 'revoked'),
  }),
  ({ dead_until, lease, state }, context) => {
    const old = activeLease(lease, context)
    const held = moved(
      resourceIn('leased', old.resource, context),
      { lease, state: 'tearing_down' },
      context.now,
    )
    const { cell, epoch, resource } = held
    const record = { ...old, state: state as LeaseStatus, teardown: { epoch } }
    const body = { cell, epoch, generation: old.generation, lease, resource }
    return {
      writes: [
        { put: leaseKey(lease), value: { ...record } },
        { remove: dueKey(old.expires_at, lease) },
        put(held),
      ],
      outbox: [{ kind: 'lease.teardown', body }, revocation(record, dead_until)],
      output: told(held),
    }
  },
)

const settle = effectKind(
  object({ kind: literal('lease.settle'), lease, ok: boolean(), resource, why }),
  ({ lease, ok, resource, why }, context) => {
    const { now } = context
    const held = resourceIn('tearing_down', resource, context)
    if (held.lease !== lease) throw new RangeError('another lease is torn down')
    const record = leaseOf(lease, context)
    const teardown = { epoch: held.epoch, outcome: ok ? 'done' : 'failed' }
    const change: Change = ok
      ? { state: 'free' }
      : { fence: { at: now, why }, lease, state: 'fenced' }
    const next = moved(held, change, now)
    return {
      writes: [{ put: leaseKey(lease), value: { ...record, teardown } }, put(next)],
      output: told(next),
    }
  },
)

const requestReset = effectKind(
  object({ kind: literal('lease.request-reset'), resource }),
  ({ resource }, context) => {
    const held = resourceIn('fenced', resource, context)
    const { cell, epoch } = held
    return {
      outbox: [{ kind: 'lease.reset', body: { cell, epoch, resource } }],
      output: told(held),
    }
  },
)

const clear = effectKind(
  object({ kind: literal('lease.clear'), resource }),
  ({ resource }, context) => {
    const next = moved(resourceIn('fenced', resource, context), { state: 'free' }, context.now)
    return { writes: [put(next)], output: told(next) }
  },
)

/** An accepted call's nonce: it is not accepted again. */
const hear = effectKind(
  object({ ...heardMembers, kind: literal('lease.hear') }),
  ({ cell, nonce, time }, { now, read }) => {
    const key = nonceKey({ cell, nonce })
    return { writes: [{ put: key, value: withNonce(read(key), { nonce, time }, now) }] }
  },
)

export const leaseEffects: EffectTable = {
  'lease.add': add,
  'lease.clear': clear,
  'lease.end': end,
  'lease.grant': grant,
  'lease.hear': hear,
  'lease.renew': renew,
  'lease.request-reset': requestReset,
  'lease.settle': settle,
}

/** Tokens of a generation below `below` are dead everywhere, or all of them; nobody needs to remember it after `until`. */
function revocation({ cell, lease }: LeaseRecord, until: number, below?: number): Outbox {
  const dead = below === undefined ? {} : { below }
  return { kind: 'announce.revoke', body: { ...dead, cell, id: lease, kind: 'lease', until } }
}

type Change = Pick<ResourceRecord, 'fence' | 'lease' | 'state'>

/** The next state of a resource: in a new epoch, with nothing of the last state but its name and cell. */
function moved(
  { cell, epoch, resource }: ResourceRecord,
  { fence, lease, state }: Change,
  since: number,
): ResourceRecord {
  return {
    cell,
    epoch: epoch + 1,
    ...(fence === undefined ? {} : { fence }),
    ...(lease === undefined ? {} : { lease }),
    resource,
    since,
    state,
  }
}

const put = (record: ResourceRecord): Write => ({
  put: resourceKey(record.resource),
  value: { ...record },
})

/** What an operator needs to go on: reports and observations name the epoch. */
function told({ epoch, resource, state }: ResourceRecord): Required<EffectPlan>['output'] {
  return { epoch, resource, state }
}

function resourceIn(
  state: ResourceRecord['state'],
  name: string,
  { read }: EffectContext,
): ResourceRecord {
  const record = read(resourceKey(name)) as unknown as ResourceRecord | undefined
  if (record?.state !== state) throw new RangeError(`the resource is not ${state}`)
  return record
}

function leaseOf(lease: string, { read }: EffectContext): LeaseRecord {
  const record = read(leaseKey(lease)) as unknown as LeaseRecord | undefined
  if (record === undefined) throw new RangeError('there is no such lease')
  return record
}

function activeLease(lease: string, context: EffectContext): LeaseRecord {
  const record = leaseOf(lease, context)
  if (record.state !== 'active') throw new RangeError('the lease has ended')
  return record
}
