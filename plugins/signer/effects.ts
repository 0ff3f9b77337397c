/** What Rego may ask for. It says what a record becomes; here is where that lies, what is signed, and what custody is told. */

import { fromBase64url } from '../../core/crypto.ts'
import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { EffectContext, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { createEnvelope, pae } from '../../formats/dsse/index.ts'
import {
  VERIFIER_SET_PAYLOAD_TYPE,
  type VerifierSet,
  verifierSetPayload,
  verifierSetSchema,
} from '../../formats/task/index.ts'
import {
  approvalRecord,
  deliveryRecord,
  managedKey,
  publicKeyRecord,
  ROOT_SCOPE,
  setRecord,
  verifierRecord,
} from './keys.ts'
import {
  ALGORITHMS,
  approvalsSchema,
  DECISION,
  type Delivery,
  deliverySchema,
  type KeyRecord,
  keySchema,
  NAME,
  PUBLIC_KEY,
  RECIPIENT,
  SCOPE,
  SECRET,
  type SetRecord,
  STATE,
  verifierSchema,
} from './schema.ts'

const { array, integer, json, literal, object, string } = schema
const key = { name: NAME, scope: SCOPE }
const version = integer({ min: 1 })
const digest = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const root = object({ kid: string({ maxLength: 64 }), name: NAME, version })

export const signerEffects: EffectTable = {
  'signer.approve': effectKind(
    object({ digest, given: approvalsSchema, kind: literal('signer.approve') }),
    ({ digest: asked, given }) => ({ writes: [put(approvalRecord(asked), given)] }),
  ),
  'signer.approved': effectKind(
    object({ digest, kind: literal('signer.approved') }),
    ({ digest: asked }) => ({ writes: [{ remove: approvalRecord(asked) }] }),
  ),
  'signer.claim': effectKind(
    object({ ...key, kind: literal('signer.claim'), public_key: PUBLIC_KEY, version }),
    ({ kind: _, public_key, ...claimed }) => ({
      writes: [put(publicKeyRecord(public_key), claimed)],
    }),
  ),
  'signer.expire': effectKind(
    object({ deliveries: array(DECISION), kind: literal('signer.expire') }),
    ({ deliveries }) => ({
      writes: deliveries.map((decision) => ({ remove: deliveryRecord(decision) })),
    }),
  ),
  'signer.forget': effectKind(
    object({ ...key, kind: literal('signer.forget'), verifier: string({ maxLength: 128 }) }),
    ({ name, scope, verifier }) => ({
      writes: [{ remove: verifierRecord(scope, name, verifier) }],
    }),
  ),
  'signer.hand': effectKind(object({ decision: DECISION, kind: literal('signer.hand') }), handed),
  'signer.make': effectKind(
    object({
      ...key,
      after: integer({ min: 0 }),
      algorithm: literal(...ALGORITHMS),
      kind: literal('signer.make'),
    }),
    ({ kind: _, ...body }) => ({ outbox: [{ kind: 'signer.make', body }] }),
  ),
  'signer.move': effectKind(
    object({
      ...key,
      kind: literal('signer.move'),
      not_before: integer({ min: 0 }),
      state: STATE,
      version,
    }),
    ({ kind: _, ...body }) => ({ outbox: [{ kind: 'signer.move', body }] }),
  ),
  'signer.publish': effectKind(
    object({ ...key, document: verifierSetSchema, kind: literal('signer.publish'), root }),
    published,
  ),
  'signer.seal': effectKind(
    object({
      expires_at: integer({ min: 0 }),
      kind: literal('signer.seal'),
      name: NAME,
      peer: object({ id: string({ maxLength: 256 }), kind: string({ maxLength: 32 }) }),
      recipient: RECIPIENT,
      version,
    }),
    sealing,
  ),
  'signer.sealed': effectKind(
    object({ delivery: deliverySchema, kind: literal('signer.sealed') }),
    ({ delivery }) => ({ writes: [put(deliveryRecord(delivery.decision), delivery)] }),
  ),
  'signer.show': effectKind(object({ ...key, kind: literal('signer.show') }), shown),
  'signer.store': effectKind(
    object({ key: keySchema, kind: literal('signer.store') }),
    ({ key: record }) => stored(record),
  ),
  'signer.tell': effectKind(
    object({ kind: literal('signer.tell'), status: json() }),
    ({ status }) => ({ output: { status } }),
  ),
  'signer.verifier': effectKind(
    object({ ...key, kind: literal('signer.verifier'), verifier: verifierSchema }),
    ({ name, scope, verifier }) => ({
      writes: [put(verifierRecord(scope, name, verifier.id), verifier)],
    }),
  ),
}

function stored(record: KeyRecord): EffectPlan {
  const { name, pending, scope, versions } = record
  return {
    writes: [put(managedKey(scope, name), record)],
    output: {
      key: {
        name,
        pending: pending.version,
        scope,
        set_version: record.set_version,
        versions: versions.map(({ kid, state, version: of }) => ({ kid, state, version: of })),
      },
    },
  }
}

interface Publish {
  readonly document: VerifierSet
  readonly name: string
  readonly root: { readonly kid: string; readonly name: string; readonly version: number }
  readonly scope: string
}

/** The signature is kept with the set, so that whoever asks for it later gets these very bytes. */
function published({ document, name, root: by, scope }: Publish): EffectPlan {
  const payload = verifierSetPayload(document)
  const record = { keyid: by.kid, payload: decoder.decode(payload), version: document.version }
  return {
    signatures: [
      {
        name: 'set',
        scope: ROOT_SCOPE,
        key: by.name,
        version: by.version,
        purpose: 'signer.set',
        message: pae(VERIFIER_SET_PAYLOAD_TYPE, payload),
      },
    ],
    writes: [{ ...put(setRecord(scope, name), record), signatures: ['set'] }],
    output: { set_version: document.version },
  }
}
const decoder = new TextDecoder()
const encoder = new TextEncoder()

function shown(
  { name, scope }: { readonly name: string; readonly scope: string },
  { read }: EffectContext,
): EffectPlan {
  const set = read(setRecord(scope, name)) as unknown as SetRecord
  const envelope = createEnvelope({
    payload: encoder.encode(set.payload),
    payloadType: VERIFIER_SET_PAYLOAD_TYPE,
    signatures: [{ keyid: set.keyid, sig: fromBase64url(set.signatures.set) as Uint8Array }],
  })
  return { output: { envelope: envelope as unknown as Json } }
}

/** The record is named after this very decision, to which custody binds what it seals. */
function sealing(
  {
    kind: _,
    ...asked
  }: Omit<Delivery, 'decision' | 'failed' | 'sealed'> & { readonly kind: string },
  { decisionId: decision }: EffectContext,
): EffectPlan {
  const { name, recipient, version: of } = asked
  return {
    writes: [put(deliveryRecord(decision), { ...asked, decision, failed: '', sealed: '' })],
    outbox: [
      { kind: 'signer.seal', body: { decision, name, recipient, scope: SECRET, version: of } },
    ],
    output: { delivery: decision },
  }
}

/** Once: what was handed over is not there any more. */
function handed({ decision }: { readonly decision: string }, { read }: EffectContext): EffectPlan {
  const { name, sealed, version: of } = read(deliveryRecord(decision)) as unknown as Delivery
  return {
    writes: [{ remove: deliveryRecord(decision) }],
    output: { sealed: { decision, name, sealed, version: of } },
  }
}

function put(sort: string, value: object): { readonly put: string; readonly value: Json } {
  return { put: sort, value: value as Json }
}
