/** What Rego may ask for. None may run on a deny. Messages are signed before the commit and leave after it. */
import { effectKind } from '../../core/effect-kind.ts'
import type { EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { heardMembers, nonceKey, withNonce } from '../../formats/call/index.ts'
import { members, type Revocation } from '../../formats/wire/index.ts'
import { put } from './effect.ts'
import { append, sweep } from './journal.ts'
import {
  announcedKey,
  delegateKey,
  FIRST_USE,
  OWN,
  ownFeedKey,
  revokedKey,
  signerKey,
} from './keys.ts'
import { follow, learn } from './learn.ts'
import {
  asRecord,
  merged,
  NO_OWN,
  type OwnRecord,
  type RevokedRecord,
  revokedRecord,
} from './records.ts'
import { reach } from './schema.ts'
import { scopeMember, signed, signerMembers } from './sign.ts'

const { array, boolean, integer, json, literal, object } = schema
const { cells, count, endpoint, id, key, kind, name, types } = members

const accept = effectKind(
  object({ key, kind: literal('announce.accept'), sequence: count, time: count }),
  ({ key, sequence, time }) => ({ writes: [put(signerKey(key), { sequence, time })] }),
)

const pin = effectKind(object({ key, kind: literal('announce.pin') }), ({ key }, { now }) => ({
  writes: [put(FIRST_USE, { public_key: key, since: now })],
}))

const offer = effectKind(
  object({
    cell: name,
    endpoint,
    kind: literal('announce.offer'),
    service: name,
    signer: key,
    until: count,
  }),
  ({ cell, endpoint, service, signer, until }, { now }) => ({
    writes: [put(announcedKey(cell, service), { at: now, cell, endpoint, service, signer, until })],
  }),
)

const withdraw = effectKind(
  object({ cell: name, kind: literal('announce.withdraw'), service: name }),
  ({ cell, service }) => ({ writes: [{ remove: announcedKey(cell, service) }] }),
)

const delegate = effectKind(
  object(
    { by: key, expires: count, key, kind: literal('announce.delegate'), not_before: count, types },
    { cells },
  ),
  ({ by, cells, expires, key, not_before, types }) => {
    const some = cells === undefined ? {} : { cells }
    const record = { by, ...some, expires, not_before, public_key: key, revoked: false, types }
    return { writes: [put(delegateKey(key), record)] }
  },
)

const undelegate = effectKind(
  object({ key, kind: literal('announce.undelegate') }),
  ({ key }, context) => {
    const before = context.read(delegateKey(key)) as object | undefined
    const record = before ?? { expires: 0, not_before: 0, public_key: key, types: [] }
    return { writes: [put(delegateKey(key), { ...record, revoked: true })] }
  },
)

interface Revoke extends Omit<Revocation, 'at' | 'kind'> {
  readonly cell: string
  readonly custody: string
  readonly of: Revocation['kind']
  readonly reach: string
  readonly signer: string
}
const revoke = effectKind(
  object(
    { ...signerMembers, cell: name, id, kind: literal('announce.revoke'), of: kind, reach },
    { below: count, until: integer({ min: 1 }) },
  ),
  ({ below, cell, custody, id, of, reach, signer, until }: Revoke, context) => {
    const some = {
      ...(below === undefined ? {} : { below }),
      ...(until === undefined ? {} : { until }),
    }
    const entry: Revocation = { at: context.now, id, kind: of, ...some }
    const { own, writes } = append(context, [{ ...entry, origin: cell, reach }])
    const { sequence } = own
    const feed = asRecord<{ sequence: number }>(context.read(ownFeedKey(cell)))
    const sort = revokedKey(of, reach, id)
    const before = asRecord<RevokedRecord>(context.read(sort))
    const message = signed(
      { after: feed?.sequence ?? 0, cell, entries: [entry], type: 'REVOKE_BROADCAST' },
      { custody, from: cell, scope: 'cell', sequence, signer },
      context.now,
    )
    return {
      writes: [
        ...writes,
        put(sort, merged(before, revokedRecord({ ...entry, reach }, cell, sequence), context.now)),
        put(ownFeedKey(cell), { sequence }),
      ],
      signatures: message.signatures,
      outbox: [message.broadcast(cell)],
      output: { sequence, ...message.output },
    }
  },
)

const publish = effectKind(
  object({
    ...signerMembers,
    ...scopeMember,
    body: json(),
    from: name,
    kind: literal('announce.publish'),
    send: boolean(),
  }),
  ({ body, custody, from, scope, send, signer }, context) => {
    const own = asRecord<OwnRecord>(context.read(OWN)) ?? NO_OWN
    const sequence = own.sequence + 1
    const said = { custody, from, scope, sequence, signer }
    const message = signed(body as object, said, context.now)
    return {
      writes: [put(OWN, { ...own, sequence })],
      signatures: message.signatures,
      ...(send ? { outbox: [message.broadcast(from)] } : {}),
      output: { sequence, ...message.output },
    }
  },
)

/** A page of the set, as of now; it takes no number of its own. */
const answer = effectKind(
  object({
    ...signerMembers,
    after: count,
    cell: name,
    entries: members.revocations,
    kind: literal('announce.answer'),
    more: boolean(),
    through: count,
  }),
  ({ after, cell, custody, entries, more, signer, through }, { now }) => {
    const body = { after, cell, entries, more, through, type: 'REVOCATIONS' }
    const said = {
      custody,
      from: cell,
      scope: 'cell',
      sequence: Math.max(through, 1),
      signer,
    } as const
    const { output, signatures } = signed(body, said, now)
    return { output, signatures }
  },
)

const fetchMissing = effectKind(
  object({ cell: name, kind: literal('announce.fetch') }),
  ({ cell }) => ({ outbox: [{ kind: 'announce.fetch', body: { cell } }] }),
)

const swept = effectKind(
  object({
    chunks: array(
      object({
        chunk: count,
        done: boolean(),
        due: array(object({ id, kind, reach }), { maxItems: 64 }),
      }),
      { maxItems: 2 },
    ),
    kind: literal('announce.sweep'),
  }),
  ({ chunks }, context) => ({ writes: sweep(context, chunks) }),
)

const heard = effectKind(
  object({ ...heardMembers, kind: literal('announce.heard') }),
  (call, context) => {
    const sort = nonceKey(call)
    return { writes: [{ put: sort, value: withNonce(context.read(sort), call, context.now) }] }
  },
)

export const announceEffects: EffectTable = {
  'announce.accept': accept,
  'announce.answer': answer,
  'announce.delegate': delegate,
  'announce.fetch': fetchMissing,
  'announce.follow': follow,
  'announce.heard': heard,
  'announce.learn': learn,
  'announce.offer': offer,
  'announce.pin': pin,
  'announce.publish': publish,
  'announce.revoke': revoke,
  'announce.sweep': swept,
  'announce.undelegate': undelegate,
  'announce.withdraw': withdraw,
}
