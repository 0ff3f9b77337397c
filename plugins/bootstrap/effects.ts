/** What Rego may ask for: a token is kept, a node gets its bundle for one, a document is signed, a node has one. None may run on a deny. */
import { fromBase64, toBase64 } from '../../core/base64.ts'
import { sha256Hex } from '../../core/crypto.ts'
import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { EffectContext, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { type EnvelopeJson, pae, signedEnvelope } from '../../formats/dsse/index.ts'
import { taskNameSchema } from '../../formats/task/index.ts'
import {
  type Anchor,
  BUNDLE_PAYLOAD_TYPE,
  bundlePayload,
  TRUST_PAYLOAD_TYPES,
  type TrustKind,
  trustPayload,
} from '../../formats/trust/index.ts'
import {
  BOOTSTRAP_KEY,
  BOOTSTRAP_PURPOSE,
  BOOTSTRAP_SCOPE,
  nodeRecord,
  tokenRecord,
  trustRecord,
} from './keys.ts'
import { members, type NodeRecord, type TokenRecord, type TrustRecord } from './schema.ts'

const { integer, literal, object, string } = schema
const { anchors, hash, kind: trust, ttl } = members
const version = integer({ min: 1 })
const key = { key_version: version, kid: string({ maxLength: 64 }) }

interface SigningKeyVersion {
  readonly key_version: number
  readonly kid: string
}
interface Enrolling extends SigningKeyVersion {
  readonly control_plane: string
  readonly node_id: string
  readonly root: string
  readonly token_hash: string
}
interface Publishing extends SigningKeyVersion {
  readonly anchors: readonly Anchor[]
  readonly trust: TrustKind
  readonly version: number
}

export const bootstrapEffects: EffectTable = {
  'bootstrap.acknowledge': effectKind(
    object({ kind: literal('bootstrap.acknowledge'), node_id: taskNameSchema, trust, version }),
    ({ node_id, trust: about, version: seen }, { read }) => {
      const sort = nodeRecord(node_id)
      const { acknowledged } = read(sort) as unknown as NodeRecord
      return {
        writes: [{ put: sort, value: { acknowledged: { ...acknowledged, [about]: seen } } }],
      }
    },
  ),
  'bootstrap.enrol': effectKind(
    object({
      ...key,
      control_plane: string({ maxLength: 2048 }),
      kind: literal('bootstrap.enrol'),
      node_id: taskNameSchema,
      root: string({ maxLength: 128 }),
      token_hash: hash,
    }),
    enrolling,
  ),
  'bootstrap.issue': effectKind(
    object({ kind: literal('bootstrap.issue'), node_id: taskNameSchema, token_hash: hash, ttl }),
    ({ node_id, token_hash, ttl: lifetime }, { now }) => {
      const expires_at = now + lifetime
      const value = { expires_at, node_id, used: false }
      return { output: { expires_at }, writes: [{ put: tokenRecord(token_hash), value }] }
    },
  ),
  'bootstrap.publish': effectKind(
    object({ ...key, anchors, kind: literal('bootstrap.publish'), trust, version }),
    publishing,
  ),
}

/** The token is used up by the decision that gives the bundle away. */
function enrolling(asked: Enrolling, { now, read }: EffectContext): EffectPlan {
  const { control_plane, key_version, kid, node_id, root, token_hash } = asked
  const record = (kind: TrustKind): TrustRecord => read(trustRecord(kind)) as unknown as TrustRecord
  const digest = (kind: TrustKind): string =>
    sha256Hex(fromBase64(record(kind).payload) ?? new Uint8Array())
  const payload = bundlePayload({
    schema: 'bootstrap.v1',
    control_plane,
    issued_at: now,
    node_id,
    trust: {
      https: digest('https'),
      'node-ca': digest('node-ca'),
      'verifier-root': digest('verifier-root'),
    },
  })
  const documents = {
    https: envelopeOf(record('https')),
    'node-ca': envelopeOf(record('node-ca')),
    'verifier-root': envelopeOf(record('verifier-root')),
  }
  const token = read(tokenRecord(token_hash)) as unknown as TokenRecord
  const none = { https: 0, 'node-ca': 0, 'verifier-root': 0 }
  return {
    output: {
      keyid: kid,
      payload: toBase64(payload),
      payloadType: BUNDLE_PAYLOAD_TYPE,
      root,
      trust: documents as unknown as Json,
    },
    signatures: [signature(BUNDLE_PAYLOAD_TYPE, payload, key_version)],
    writes: [
      { put: tokenRecord(token_hash), value: { ...token, used: true } },
      { put: nodeRecord(node_id), value: { acknowledged: none } },
    ],
  }
}

/** The record keeps the signature; the answer has it too, so that nodes can be told at once. */
function publishing(asked: Publishing, { now }: EffectContext): EffectPlan {
  const { key_version, kid, trust: about } = asked
  const payload = trustPayload({
    schema: `${about}-trust.v1`,
    version: asked.version,
    issued_at: now,
    anchors: asked.anchors,
  })
  const payloadType = TRUST_PAYLOAD_TYPES[about]
  const value = { keyid: kid, payload: toBase64(payload), payloadType }
  return {
    output: { ...value, version: asked.version },
    signatures: [signature(payloadType, payload, key_version)],
    writes: [{ put: trustRecord(about), signatures: ['signature'], value }],
  }
}

function signature(
  payloadType: string,
  payload: Uint8Array,
  key_version: number,
): NonNullable<EffectPlan['signatures']>[number] {
  return {
    key: BOOTSTRAP_KEY,
    message: pae(payloadType, payload),
    name: 'signature',
    purpose: BOOTSTRAP_PURPOSE,
    scope: BOOTSTRAP_SCOPE,
    version: key_version,
  }
}

function envelopeOf({ keyid, payload, payloadType, signatures }: TrustRecord): EnvelopeJson {
  return signedEnvelope({ keyid, payload, payloadType, signature: signatures?.signature ?? '' })
}
