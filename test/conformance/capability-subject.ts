/** `capability` as the plugin laws see it: requests for each action, with the records that they meet and the effects that follow. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { proofMessage, readToken } from '../../formats/cap1/index.ts'
import { capability } from '../../plugins/capability/facts.ts'
import { nonceId } from '../../plugins/capability/keys.ts'
import { signedCall } from '../keys.ts'
import { enrolled, OTHER } from '../presented.ts'
import { root } from '../source.ts'
import {
  attenuationOf,
  authorityOf,
  CELL,
  canonicalBytes,
  chain,
  extended,
  granted,
  linkOf,
  pairOf,
  sealed,
  tokenText,
} from '../tokens.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

/** When the laws ask. */
const NOW = 1_800_000_000
const HOLDER = pairOf('holder')
const HANDLE = 'ab'.repeat(32)

const enrolment = { ...enrolled(CELL, { custody: 'cell' }), ...enrolled(OTHER) }
const lease = {
  'lease/lease-1': {
    lease: 'lease-1',
    cell: CELL,
    tenant: 'tenant-1',
    resource: 'gpu-0',
    generation: 1,
    state: 'active',
    expires_at: NOW + 300,
    granted_at: NOW,
    caveats: [],
  },
  'resource/gpu-0': {
    resource: 'gpu-0',
    cell: CELL,
    state: 'leased',
    lease: 'lease-1',
    since: NOW,
    epoch: 2,
  },
}
const revoked = (kind: string, id: string, members: object = {}): { [sort: string]: Json } => ({
  [`revoked/${kind}/${CELL}/${id}`]: { kind, id, at: NOW, until: null, ...members },
})
const foreign = {
  announce: {
    ...revoked('tenant', 'tenant-1', { until: NOW }),
    ...revoked('lease', 'lease-1', { below: 1, until: NOW + 600 }),
    [`feed/${OTHER}`]: { cell: OTHER, signer: 'x', sequence: 7, as_of: NOW - 2 },
  },
  enrolment,
  lease,
}

const operation = { op: 'submit', resource: 'gpu-0', bytes: 5, purpose: { b: [1, 2], a: null } }
const used = (token: string, members: object = {}): Json => ({
  at: CELL,
  operation,
  token,
  ...members,
})

function counted(): { readonly counter: string; readonly token: string } {
  const caveats = [
    { t: 'op', v: ['submit'] },
    { t: 'byte_budget', v: { bytes: 10 } },
    { t: '__proto__', v: 1 },
    { t: 'purpose', v: ['x'], extra: 1 },
  ]
  const made = extended(chain(0), attenuationOf(1, caveats), linkOf(0), linkOf(1))
  const token = tokenText(made)
  return { counter: `${handleOf(token, 1)}/1`, token }
}

function handleOf(text: string, block: number): string {
  const token = readToken(text)
  if ('problem' in token) throw new Error(token.problem)
  return (token.blocks[block] as { readonly handle: string }).handle
}

function bound(): { readonly id: string; readonly payload: Json } {
  const token = tokenText(sealed(chain(1, { cnf: HOLDER.publicKey })))
  const about = { audience: CELL, nonce: 'n-1', time: NOW, request: operation, token }
  const signature = toBase64url(HOLDER.sign(proofMessage(about)))
  const proof = { key: HOLDER.publicKey, nonce: 'n-1', signature, time: NOW }
  return { id: nonceId(HOLDER.publicKey, 'n-1'), payload: used(token, { proof }) }
}

/** Issued by the other cell, presented to this one. */
const stray = tokenText(
  granted(canonicalBytes({ ...authorityOf({ aud: OTHER, iss: OTHER }) }), pairOf(OTHER)),
)
const report = { at: OTHER, cell: CELL, handle: HANDLE, time: NOW }
const call = { action: 'capability.report', body: report, cell: OTHER, time: NOW }

const sample = (action: string, payload: Json, more: Partial<PluginSample> = {}): PluginSample => ({
  action,
  payload,
  foreign,
  ...more,
})
const { counter, token } = counted()
const { id, payload } = bound()

const samples: readonly PluginSample[] = [
  sample('capability.use', used(tokenText(chain(2)))),
  sample('capability.use', used(token), {
    records: { [`spent/${counter}`]: { amount: 3, since: NOW - 5, until: NOW + 300 } },
    effects: [{ kind: 'capability.spend', amount: 8, counter, since: NOW - 5, until: NOW + 300 }],
  }),
  sample('capability.use', payload, {
    effects: [{ kind: 'capability.remember', id, until: NOW + 30 }],
  }),
  sample('capability.use', payload, { records: { [`nonce/${id}`]: { until: NOW + 30 } } }),
  sample('capability.use', used(stray), {
    effects: [
      {
        kind: 'capability.alert',
        at: CELL,
        cell: OTHER,
        handle: handleOf(stray, 0),
        key: 'cell',
        until: NOW + 300,
      },
    ],
  }),
  sample('capability.report', signedCall(pairOf(OTHER), { ...call, nonce: 'A'.repeat(22) }), {
    effects: [{ kind: 'capability.hear', at: OTHER, handle: HANDLE, until: NOW + 600 }],
  }),
  sample(
    'capability.sweep',
    { keys: [`nonce/${id}`, `spent/${counter}`] },
    {
      records: { [`nonce/${id}`]: { until: NOW - 1 } },
      effects: [{ kind: 'capability.forget', keys: [`nonce/${id}`] }],
    },
  ),
]

const caveats = readdirSync(join(root, 'policies/capability/caveats')).map(
  (type) => `policies/capability/caveats/${type}`,
)

export const capabilitySubject: PluginSubject = {
  name: 'plugin/capability',
  plugin: capability as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/capability/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/call', 'policies/capability', ...caveats),
}
