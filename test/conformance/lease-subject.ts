/** `lease` as the plugin laws see it: each action in a state in which it is permitted, one of them by the signed call of a cell. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { callMessage } from '../../formats/call/index.ts'
import { lease } from '../../plugins/lease/facts.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const NOW = 1_800_000_000
const LEASE = '0123456789abcdef0123456789abcdef'
const NONCE = 'AAAAAAAAAAAAAAAAAAAAAA'
const pair = generateKeyPairSync('ed25519')
const key = pair.publicKey.export({ format: 'jwk' }).x as string

const active = {
  caveats: [{ t: 'op', v: ['read'] }],
  cell: 'cell-a',
  expires_at: NOW + 60,
  generation: 3,
  granted_at: NOW - 240,
  lease: LEASE,
  resource: 'gpu-0',
  state: 'active',
  tenant: 'demo',
}
const ended = { ...active, state: 'freed', teardown: { epoch: 6 } }
const resource = (members: { readonly [name: string]: Json }): Json => ({
  cell: 'cell-a',
  epoch: 6,
  ...members,
  resource: 'gpu-0',
  since: NOW - 10,
})
const held: Readonly<Record<string, Json>> = {
  [`lease/${LEASE}`]: active,
  [`due/00${NOW + 60}/${LEASE}`]: {},
  'resource/gpu-0': resource({ lease: LEASE, state: 'leased' }),
}
const tearing: Readonly<Record<string, Json>> = {
  [`lease/${LEASE}`]: ended,
  'resource/gpu-0': resource({ lease: LEASE, state: 'tearing_down' }),
}
const fence = { at: NOW - 10, why: 'it hangs' }
const fenced = { 'resource/gpu-0': resource({ fence, lease: LEASE, state: 'fenced' }) }
const free = { 'resource/gpu-0': resource({ state: 'free' }) }
const foreign: PluginSample['foreign'] = {
  announce: {
    [`revoked/key/cell-a/${key}`]: { until: null },
    [`revoked/lease/cell-a/${LEASE}`]: { below: 3, until: NOW + 9 },
    'revoked/tenant/*/demo': { until: NOW },
  },
  enrolment: {
    'cell/cell-a': {
      cell: 'cell-a',
      keys: [{ public_key: key, state: 'active', custody: 'cell-a' }],
      local: true,
    },
    'tenant/demo': { tenant: 'demo', state: 'active' },
  },
}

const sample = (
  action: string,
  payload: Json,
  records: Readonly<Record<string, Json>>,
  effects: PluginSample['effects'] = [],
): PluginSample => ({ action, payload, records, foreign, effects })

const asked = { cell: 'cell-a', nk: key, resource: 'gpu-0', tenant: 'demo', ttl: 60 }
const grant = {
  caveats: [{ t: 'op', v: ['read'] }],
  cell: 'cell-a',
  custody: 'cell-a',
  expires_at: NOW + 60,
  nk: key,
  resource: 'gpu-0',
  tenant: 'demo',
}
const renewal = { custody: 'cell-a', dead_until: NOW + 300, lease: LEASE, nk: key }
const settled = { lease: LEASE, resource: 'gpu-0', why: 'it hangs' }
const report = { epoch: 6, lease: LEASE, resource: 'gpu-0' }
const observed = { epoch: 6, resource: 'gpu-0', state: 'reset' }
const said = { action: 'lease.observed', body: observed, cell: 'cell-a', nonce: NONCE, time: NOW }
const { action: _, body, ...by } = said
const signature = sign(null, callMessage(said), pair.privateKey).toString('base64url')
const heard = { kind: 'lease.hear', cell: 'cell-a', nonce: NONCE, time: NOW }

const samples: readonly PluginSample[] = [
  sample('lease.add-resource', { cell: 'cell-a', resource: 'gpu-0' }, {}, [
    { kind: 'lease.add', cell: 'cell-a', resource: 'gpu-0' },
  ]),
  sample('lease.grant', asked, free, [{ kind: 'lease.grant', ...grant }]),
  sample(
    'lease.grant',
    {
      ...asked,
      caveats: [{ t: 'nested', v: { b: { d: 1, c: [2] }, a: null } }],
      cnf: key,
      jti: 'j',
    },
    free,
    [{ kind: 'lease.grant', ...grant, cnf: key, jti: 'j' }],
  ),
  sample('lease.renew', { generation: 3, lease: LEASE, nk: key, ttl: 60 }, held, [
    { kind: 'lease.renew', ...renewal, expires_at: NOW + 60 },
  ]),
  sample('lease.renew', { generation: 3, jti: 'j', lease: LEASE, nk: key, ttl: 61 }, held, [
    { kind: 'lease.renew', ...renewal, expires_at: NOW + 61, jti: 'j' },
  ]),
  ...(['expire', 'free', 'revoke'] as const).map((verb) =>
    sample(`lease.${verb}`, { lease: LEASE }, held, [
      { kind: 'lease.end', dead_until: NOW + 300, lease: LEASE, state: 'freed' },
    ]),
  ),
  sample('lease.revoke', { lease: LEASE, why: 'stolen' }, {}),
  sample('lease.torn-down', { ...report, ok: true }, tearing, [
    { kind: 'lease.settle', ...settled, ok: true },
  ]),
  sample('lease.torn-down', { ...report, ok: false, why: 'it hangs' }, tearing, [
    { kind: 'lease.settle', ...settled, ok: false },
  ]),
  sample('lease.request-reset', { resource: 'gpu-0' }, fenced, [
    { kind: 'lease.request-reset', resource: 'gpu-0' },
  ]),
  sample('lease.observed', observed, fenced, [{ kind: 'lease.clear', resource: 'gpu-0' }]),
  sample('lease.observed', { body, call: { ...by, signature } }, fenced, [
    heard,
    { kind: 'lease.clear', resource: 'gpu-0' },
  ]),
]

export const leaseSubject: PluginSubject = {
  name: 'plugin/lease',
  plugin: lease as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/lease/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/call', 'policies/lease'),
}
