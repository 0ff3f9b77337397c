/** `bootstrap` as the plugin laws see it: one valid request for each action, with documents as the plugin signs them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64 } from '../../core/base64.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import {
  type Anchor,
  TRUST_PAYLOAD_TYPES,
  type TrustKind,
  tokenHash,
  trustPayload,
} from '../../formats/trust/index.ts'
import { bootstrap } from '../../plugins/bootstrap/facts.ts'
import { Platform, START } from '../task/platform.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const platform = new Platform()
const signing = platform.key('bootstrap')
const SECRET = 'A'.repeat(43)
const pem = (text: string): string =>
  `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
const anchor = (id: string, value: string, state: Anchor['state'] = 'current'): Anchor => ({
  ...{ id, state, value },
})
const document = (kind: TrustKind, anchors: readonly Anchor[]): Json => ({
  keyid: signing.kid,
  payload: toBase64(
    trustPayload({ schema: `${kind}-trust.v1`, version: 1, issued_at: START, anchors }),
  ),
  payloadType: TRUST_PAYLOAD_TYPES[kind],
  signatures: { signature: 'c2ln' },
})
const first = anchor('ca-1', pem('aaaa'))
const records: Readonly<Record<string, Json>> = {
  'node/node-7': { acknowledged: { https: 0, 'node-ca': 0, 'verifier-root': 0 } },
  [`token/${tokenHash(SECRET)}`]: { expires_at: START + 60, node_id: 'node-7', used: false },
  'trust/https': document('https', [first]),
  'trust/node-ca': document('node-ca', [anchor('nodes-1', pem('bbbb'))]),
  'trust/verifier-root': document('verifier-root', [anchor('root-1', platform.root.x)]),
}
const foreign = {
  signer: {
    'key/bootstrap/bootstrap-root': {
      versions: [
        { grace_until: 0, kid: signing.kid, public_key: signing.x, state: 'active', version: 1 },
      ],
    },
  },
}
const sample = (action: string, payload: Json, effect: Json): PluginSample => ({
  ...{ action, foreign, payload, records, peer: { kind: 'operator', id: 'root' } },
  effects: [effect as never],
})
const key = { key_version: 1, kid: signing.kid }
const anchors = [{ ...first }, { ...anchor('ca-2', pem('cccc'), 'next') }]

const samples: readonly PluginSample[] = [
  sample(
    'bootstrap.acknowledge',
    { node_id: 'node-7', trust: 'https', version: 1 },
    { kind: 'bootstrap.acknowledge', node_id: 'node-7', trust: 'https', version: 1 },
  ),
  sample(
    'bootstrap.fetch',
    { node_id: 'node-7', secret: SECRET },
    {
      ...key,
      control_plane: 'https://control.example',
      kind: 'bootstrap.enrol',
      node_id: 'node-7',
      root: signing.x,
      token_hash: tokenHash(SECRET),
    },
  ),
  sample(
    'bootstrap.issue',
    { node_id: 'node-8', token_hash: 'ab'.repeat(32), ttl: 60 },
    { kind: 'bootstrap.issue', node_id: 'node-8', token_hash: 'ab'.repeat(32), ttl: 60 },
  ),
  sample(
    'bootstrap.publish',
    { anchors, reason: 'a new CA', trust: 'https' },
    { ...key, anchors, kind: 'bootstrap.publish', trust: 'https', version: 2 },
  ),
]

export const bootstrapSubject: PluginSubject = {
  name: 'plugin/bootstrap',
  plugin: bootstrap as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/bootstrap/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/signing', 'policies/bootstrap'),
}
