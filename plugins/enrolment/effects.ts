/** What Rego may ask for: keys are enrolled, change their state, and prove themselves. None may run on a deny. */

import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { EffectContext, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import {
  bindMessage,
  heardMembers,
  NAME,
  nonceKey,
  type Owner,
  PUBLIC_KEY,
  withNonce,
} from '../../formats/call/index.ts'
import { keyRecord, ownerRecord } from './keys.ts'
import {
  type KeyRecord,
  MAX_KEYS,
  members,
  type OwnedKey,
  type OwnerRecord,
  type State,
} from './schema.ts'

type Writes = NonNullable<EffectPlan['writes']>
const { literal, object } = schema
const { custody, scope, state, verification } = members

const enrol = object(
  { kind: literal('enrolment.enrol'), owner: NAME, public_key: PUBLIC_KEY, scope },
  // `earlier`: the state that the newest key so far goes to.
  { custody, earlier: state, verification },
)
const transition = object({
  kind: literal('enrolment.transition'),
  public_key: PUBLIC_KEY,
  state,
})

export const enrolmentEffects: EffectTable = {
  'enrolment.enrol': effectKind(enrol, (effect, context) => ({
    writes: enrolled(effect, context),
    output: { public_key: effect.public_key },
  })),
  'enrolment.heard': effectKind(
    object({ kind: literal('enrolment.heard'), ...heardMembers }),
    (effect, { now, read }) => {
      const sort = nonceKey(effect)
      return { writes: [{ put: sort, value: withNonce(read(sort), effect, now) }] }
    },
  ),
  'enrolment.prove': effectKind(
    object({
      cell: NAME,
      custody,
      kind: literal('enrolment.prove'),
      public_key: PUBLIC_KEY,
    }),
    ({ cell, custody: key, public_key }) => ({
      output: { cell, public_key },
      signatures: [
        {
          name: 'proof',
          scope: 'cell',
          key,
          purpose: 'enrolment.bind',
          message: bindMessage({ owner: cell, scope: 'cell' }),
        },
      ],
    }),
  ),
  'enrolment.revoke-elsewhere': effectKind(
    object({ kind: literal('enrolment.revoke-elsewhere'), public_key: PUBLIC_KEY }),
    ({ public_key }, { read }) => {
      const { owner, scope } = keyAt(public_key, read)
      // A cell says itself that its key is revoked: nobody else's word ends its tokens elsewhere.
      const of = scope === 'cell' ? { cell: owner } : {}
      return { outbox: [{ kind: 'announce.revoke', body: { ...of, id: public_key, kind: 'key' } }] }
    },
  ),
  'enrolment.transition': effectKind(transition, (effect, context) => ({
    writes: moved(effect.public_key, effect.state, context),
  })),
}

interface Enrol extends Owner {
  readonly custody?: string
  readonly earlier?: State
  readonly public_key: string
  readonly scope: KeyRecord['scope']
  readonly verification?: OwnerRecord['verification']
}

function enrolled(effect: Enrol, { now, read }: EffectContext): Writes {
  const { custody: name, earlier, owner, public_key, scope, verification } = effect
  const key: KeyRecord = { owner, public_key, scope, state: 'active' }
  const writes = [put(keyRecord(public_key), key)]
  const sort = ownerRecord(effect)
  if (sort === undefined) return writes
  const before = ownerAt(sort, read)
  const newest = before?.keys.at(-1)
  let kept = before?.keys ?? []
  if (newest !== undefined && earlier !== undefined) {
    kept = withState(kept, newest.public_key, earlier)
    const replaced = keyAt(newest.public_key, read)
    writes.push(put(keyRecord(newest.public_key), { ...replaced, state: earlier }))
  }
  const added: OwnedKey = {
    ...(name === undefined ? {} : { custody: name }),
    public_key,
    since: now,
    state: 'active',
  }
  const record: OwnerRecord = {
    ...before,
    ...(verification === undefined ? {} : { verification }),
    ...described(scope, owner, [...kept, added].slice(-MAX_KEYS)),
  }
  return [...writes, put(sort, record)]
}

function moved(publicKey: string, state: State, { read }: EffectContext): Writes {
  const key = keyAt(publicKey, read)
  const writes = [put(keyRecord(publicKey), { ...key, state })]
  const sort = ownerRecord(key)
  if (sort === undefined) return writes
  const before = ownerAt(sort, read) ?? { keys: [] }
  const keys = withState(before.keys, publicKey, state)
  return [...writes, put(sort, { ...before, ...described(key.scope, key.owner, keys) })]
}

function withState(
  keys: readonly OwnedKey[],
  publicKey: string,
  state: State,
): readonly OwnedKey[] {
  return keys.map((key) => (key.public_key === publicKey ? { ...key, state } : key))
}

/** The members of an owner's record that follow from its keys. */
function described(
  scope: KeyRecord['scope'],
  owner: string,
  keys: readonly OwnedKey[],
): OwnerRecord {
  if (scope === 'cell') return { cell: owner, keys, local: keys.at(-1)?.custody !== undefined }
  if (scope !== 'tenant') return { keys }
  const inForce = keys.some(({ state }) => state === 'active' || state === 'grace')
  return { keys, state: inForce ? 'active' : 'revoked', tenant: owner }
}

type Read = EffectContext['read']
const keyAt = (publicKey: string, read: Read): KeyRecord =>
  read(keyRecord(publicKey)) as unknown as KeyRecord
const ownerAt = (sort: string, read: Read): OwnerRecord | undefined =>
  read(sort) as unknown as OwnerRecord | undefined

function put(sort: string, value: KeyRecord | OwnerRecord): { put: string; value: Json } {
  return { put: sort, value: value as unknown as Json }
}
