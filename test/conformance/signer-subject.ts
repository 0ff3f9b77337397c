/** `signer` as the plugin laws see it: a valid request for each action, and the effects that follow. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../../core/canonical.ts'
import { sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { signer } from '../../plugins/signer/facts.ts'
import type { KeyRecord, Version } from '../../plugins/signer/schema.ts'
import { signingKey } from '../keys.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const operator = { kind: 'operator', id: 'root' }
const outbox = { kind: 'embedded', id: 'outbox' }
const NOW = 1_800_000_000
const TASK = { name: 'task', scope: 'task' } as const
const node = { id: 'node-7', kind: 'node' }

function version(number: number, state: Version['state'], more: Partial<Version> = {}): Version {
  const { publicKey } = signingKey(`signer ${number}`)
  return {
    activated_at: NOW - 1000,
    created_at: NOW - 2000,
    grace_until: 0,
    kid: `000000000000000${number}`,
    public_key: publicKey,
    published: 1,
    reason: '',
    revoked_at: 0,
    state,
    version: number,
    ...more,
  }
}

const key: KeyRecord = {
  algorithm: 'ed25519',
  auto: true,
  creating: { after: 0, emergency: false, publish: false, wanted: false },
  grace_for: 600,
  ...TASK,
  pending: { emergency: false, rollback_of: 0, version: 0 },
  rotate_after: 1000,
  set: { name: 'node-task-signing', root: 'verifier-root' },
  set_version: 2,
  versions: [
    version(1, 'grace', { grace_until: NOW + 600 }),
    version(2, 'active'),
    version(3, 'pre-active', { published: 2 }),
  ],
}
const verifierRoot: KeyRecord = {
  ...key,
  name: 'verifier-root',
  scope: 'bootstrap',
  set: { name: '', root: '' },
  set_version: 0,
  versions: [version(9, 'active')],
}
const set = {
  keyid: '0000000000000009',
  payload: '{}',
  signatures: { set: 'A'.repeat(86) },
  version: 2,
}
const verifier = { acknowledged: 1, id: 'node-7', peer: node }
const puller = { id: 'puller', kind: 'service' }
const robot: KeyRecord = {
  ...key,
  algorithm: 'opaque',
  name: 'robot',
  scope: 'secret',
  set: { name: '', root: '' },
  set_version: 0,
  versions: [version(1, 'active', { kid: 'a'.repeat(64), public_key: '' })],
}
const ROBOT = { name: 'robot', scope: 'secret' } as const
const recipient = 'C'.repeat(43)
const delivery = {
  decision: '0190-1',
  expires_at: NOW + 60,
  failed: '',
  name: 'robot',
  peer: puller,
  recipient,
  sealed: '',
  version: 1,
}
const records: Readonly<Record<string, Json>> = {
  'key/task/task': key as unknown as Json,
  'key/bootstrap/verifier-root': verifierRoot as unknown as Json,
  'key/secret/robot': robot as unknown as Json,
  'set/task/task': set,
  'verifier/task/task/node-7': verifier,
}

const digestOf = (action: string, body: object): string =>
  sha256Hex(new TextEncoder().encode(canonicalJson([action, body as Json])))
const sample = (
  verb: string,
  payload: object,
  effects: PluginSample['effects'] = [],
  peer = operator,
): PluginSample => ({
  action: `signer.${verb}`,
  payload: payload as Json,
  peer,
  records,
  effects: effects ?? [],
})

const made = signingKey('made').publicKey
const revoking = { ...TASK, reason: 'stolen', version: 2 }
const revoked = digestOf('signer.revoke', revoking)
const document = {
  schema: 'task-verifiers.v1',
  scope: 'node-task-signing',
  version: 3,
  issued_at: NOW,
  keys: [],
}
const stored = { key: key as unknown as Json, kind: 'signer.store' }
const move = { ...TASK, kind: 'signer.move', not_before: NOW, state: 'revoked', version: 2 }
const byRoot = { kid: '0000000000000009', name: 'verifier-root', version: 9 }

const samples: readonly PluginSample[] = [
  sample('create', TASK, [
    stored,
    { ...TASK, after: 3, algorithm: 'ed25519', kind: 'signer.make' },
  ]),
  sample(
    'created',
    { ...TASK, public_key: made, version: 4 },
    [stored, { ...TASK, kind: 'signer.claim', public_key: made, version: 4 }],
    outbox,
  ),
  sample('created', { ...TASK, failed: 'scope_mismatch' }, [stored], outbox),
  sample('rotate', TASK),
  sample('publish', TASK, [stored, { ...TASK, document, kind: 'signer.publish', root: byRoot }]),
  sample('activate', { ...TASK, override: 'a node is gone', version: 3 }),
  sample('moved', { ...TASK, state: 'active', version: 3 }, [], outbox),
  sample('retire', { ...TASK, version: 1 }),
  sample('rollback', { ...TASK, reason: 'it misbehaves', version: 1 }),
  {
    ...sample('revoke', revoking, [stored, move, { digest: revoked, kind: 'signer.approved' }]),
    records: {
      ...records,
      [`approval/${revoked}`]: [{ at: NOW - 1, id: 'other', kind: 'operator' }],
    },
  },
  sample('revoke', revoking, [
    {
      digest: revoked,
      given: [{ at: NOW, id: 'root', kind: 'operator' }],
      kind: 'signer.approve',
    },
  ]),
  sample('schedule', { ...TASK, auto: false, grace_for: 60, rotate_after: 0 }),
  sample('register', { ...TASK, peer: node, verifier: 'node-8' }, [
    { ...TASK, kind: 'signer.verifier', verifier: { acknowledged: 0, id: 'node-8', peer: node } },
  ]),
  sample('acknowledge', { ...TASK, verifier: 'node-7', version: 2 }, [], node),
  sample('unregister', { ...TASK, verifier: 'node-7' }, [
    { ...TASK, kind: 'signer.forget', verifier: 'node-7' },
  ]),
  sample('set', { ...TASK, have: 1 }, [{ ...TASK, kind: 'signer.show' }]),
  sample('status', TASK, [{ kind: 'signer.tell', status: {} }]),
  sample('list', {}),
  sample(
    'deliver',
    { ...ROBOT, recipient },
    [
      {
        expires_at: NOW + 60,
        kind: 'signer.seal',
        name: 'robot',
        peer: puller,
        recipient,
        version: 1,
      },
    ],
    puller,
  ),
  {
    ...sample(
      'delivered',
      { ...ROBOT, delivery: '0190-1', sealed: 'AAAA', version: 1 },
      [{ delivery: { ...delivery, sealed: 'AAAA' }, kind: 'signer.sealed' }],
      outbox,
    ),
    records: { ...records, 'delivery/0190-1': delivery },
  },
  {
    ...sample(
      'fetch',
      { ...ROBOT, delivery: '0190-1' },
      [{ decision: '0190-1', kind: 'signer.hand' }],
      puller,
    ),
    records: { ...records, 'delivery/0190-1': { ...delivery, sealed: 'AAAA' } },
  },
  {
    ...sample('expire', {}, [{ deliveries: ['0190-1'], kind: 'signer.expire' }], {
      kind: 'kernel',
      id: 'rotation',
    }),
    records: { ...records, 'delivery/0190-1': { ...delivery, expires_at: NOW - 1 } },
  },
]

export const signerSubject: PluginSubject = {
  name: 'plugin/signer',
  plugin: signer as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/signer/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/signer'),
}
