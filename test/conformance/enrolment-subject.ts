/** `enrolment` as the plugin laws see it: valid requests for each action, with real signatures, and the effects that follow. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { enrolment } from '../../plugins/enrolment/facts.ts'
import { type SigningKey, signedCall, signingKey } from '../keys.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const [first, second, third] = ['first', 'second', 'third'].map(signingKey) as [
  SigningKey,
  SigningKey,
  SigningKey,
]
const operator = { kind: 'operator', id: 'root' }
const NOW = 1_800_000_000

const known = (key: string, scope: string, owner: string): Json => ({
  owner,
  public_key: key,
  scope,
  state: 'active',
})
const cellA = { owner: 'cell-a', scope: 'cell' }
const listed = { custody: 'cell-a', public_key: first.publicKey, since: 1, state: 'active' }
const records: Readonly<Record<string, Json>> = {
  [`key/${first.publicKey}`]: known(first.publicKey, 'cell', 'cell-a'),
  'cell/cell-a': { cell: 'cell-a', keys: [listed], local: true },
}
const sample = (action: string, payload: Json, more: Partial<PluginSample> = {}): PluginSample => ({
  action,
  payload,
  peer: operator,
  records,
  ...more,
})

const tenant = { owner: 'acme', scope: 'tenant' }
const revoke = { public_key: first.publicKey, state: 'revoked' }
const revokeCall = {
  action: 'enrolment.transition-key',
  body: revoke,
  cell: 'cell-a',
  nonce: 'A'.repeat(22),
  time: NOW - 1,
}

const samples: readonly PluginSample[] = [
  sample(
    'enrolment.bind-cell',
    {
      cell: 'cell-b',
      public_key: second.publicKey,
      proof: second.binds({ ...cellA, owner: 'cell-b' }),
    },
    {
      effects: [
        { kind: 'enrolment.enrol', owner: 'cell-b', public_key: second.publicKey, scope: 'cell' },
      ],
    },
  ),
  sample(
    'enrolment.bind-cell',
    {
      cell: 'cell-a',
      custody: 'cell-a',
      hand_over: first.handsOver(cellA, second.publicKey),
      proof: second.binds(cellA),
      public_key: second.publicKey,
      replaces: first.publicKey,
    },
    {
      effects: [
        {
          kind: 'enrolment.enrol',
          custody: 'cell-a',
          earlier: 'grace',
          owner: 'cell-a',
          public_key: second.publicKey,
          scope: 'cell',
        },
        { kind: 'enrolment.revoke-elsewhere', public_key: first.publicKey },
      ],
    },
  ),
  sample('enrolment.register-tenant', {
    proof: third.binds(tenant),
    public_key: third.publicKey,
    tenant: 'acme',
    verification: { by: 'ops', reference: 'ticket 7' },
  }),
  sample(
    'enrolment.pin-controller',
    { public_key: third.publicKey },
    {
      foreign: { release: { [`key/${third.publicKey}`]: { pinned: true } } },
      effects: [
        {
          kind: 'enrolment.enrol',
          owner: 'controller',
          public_key: third.publicKey,
          scope: 'controller',
        },
      ],
    },
  ),
  sample('enrolment.register-key', {
    owner: 'builder',
    proof: third.binds({ owner: 'builder', scope: 'task' }),
    public_key: third.publicKey,
    scope: 'task',
  }),
  sample('enrolment.transition-key', revoke, {
    effects: [{ kind: 'enrolment.transition', public_key: first.publicKey, state: 'revoked' }],
  }),
  sample('enrolment.transition-key', signedCall(first, revokeCall), {
    effects: [
      { kind: 'enrolment.heard', cell: 'cell-a', nonce: 'A'.repeat(22), time: revokeCall.time },
    ],
  }),
  sample(
    'enrolment.prove',
    { cell: 'cell-a' },
    {
      effects: [
        {
          kind: 'enrolment.prove',
          cell: 'cell-a',
          custody: 'cell-a',
          public_key: first.publicKey,
        },
      ],
    },
  ),
]

export const enrolmentSubject: PluginSubject = {
  name: 'plugin/enrolment',
  plugin: enrolment as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/enrolment/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/call', 'policies/enrolment'),
}
