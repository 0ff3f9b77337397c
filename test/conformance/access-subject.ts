/** `access` as the plugin laws see it: one valid request for each action, with the records it meets and the effects that follow. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import type { PastDecision, Plugin } from '../../core/plugin.ts'
import { access } from '../../plugins/access/facts.ts'
import { subjectKey } from '../../plugins/access/keys.ts'
import type { SearchSample } from './candidates.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const ada = { type: 'user', id: 'ada' }
const job = { type: 'job', id: 'a/b' }
const checkpoint = { type: 'checkpoint', id: 'c1' }
const workload = { type: 'workload', id: 'w1' }
const operator = { kind: 'operator', id: 'root' }

const subject = (ref: { type: string; id: string }, members: object = {}): Json => ({
  attributes: {},
  ...ref,
  incarnation: 'i1',
  related: {},
  ...members,
})
const assigned = (roles: readonly string[]): { [name: string]: Json } => ({ ...ada, roles })
const members = (role: string, count: number): Json => ({ role, members: count })
const DENIED = '0123456789abcdef0123456789abcdef'
const asked = { subject: ada, action: { name: 'cancel' }, resource: workload }
const past: Readonly<Record<string, PastDecision>> = {
  [DENIED]: {
    action: 'access.evaluate',
    peer: operator,
    payload: JSON.stringify(asked),
    verdict: { allow: false, output: { access_request: { expires_at: 1_800_000_060 } } },
  },
}
const request = {
  action: 'cancel',
  created: 1_799_999_000,
  expires: 1_800_001_000,
  id: 'd1',
  incarnation: 'i1',
  justification: 'the node is on fire',
  requester: { id: 'root', kind: 'operator' },
  resource: workload,
  status: 'pending',
  subject: ada,
} as const
const grant = { action: 'cancel', request: 'd1', resource: workload, until: 1_800_000_060 }
const records: Readonly<Record<string, Json>> = {
  'request/id/d1': { state: request },
  'subject/user/ada': subject(ada, { attributes: { team: 'red' } }),
  'assignment/user/ada': { grants: [grant], ...assigned(['payer', 'scientist']) },
  'subject/job/a%2Fb': subject(job, { acts_for: ada, related: { workload } }),
  'resource/checkpoint/c1': { attributes: { node: 'n1' }, ...checkpoint, related: { workload } },
  'resource/workload/w1': { attributes: { owner: 'ada' }, ...workload, related: {} },
  'session/id/s1': {
    expires: 1_800_000_060,
    id: 's1',
    incarnation: 'i1',
    opened: 1_799_999_000,
    roles: ['payer'],
    subject: ada,
  },
  'members/role/payer': members('payer', 1),
  'members/role/scientist': members('scientist', 2),
}

const samples: readonly PluginSample[] = [
  {
    action: 'access.evaluate',
    payload: {
      subject: { ...ada, properties: { role: 'chief', tags: ['b', 'a'] } },
      action: { name: 'read', properties: { soft: true } },
      resource: { ...checkpoint, properties: { status: 'archived', nested: { z: 1, a: null } } },
      context: { session: 's1', ip: '192.0.2.1' },
      somethingElse: true,
    },
    records,
  },
  {
    action: 'access.evaluate',
    payload: { subject: job, action: { name: 'read' }, resource: checkpoint },
    records,
  },
  {
    action: 'access.assign',
    payload: { subject: ada, role: 'judge' },
    peer: { kind: 'user', id: 'ada' },
    records,
    effects: [{ kind: 'access.assign-role', role: 'judge', subject: ada }],
  },
  {
    action: 'access.revoke',
    payload: { subject: ada, role: 'payer' },
    peer: operator,
    records,
    effects: [{ kind: 'access.revoke-role', role: 'payer', subject: ada }],
  },
  {
    action: 'access.open-session',
    payload: { subject: ada, session: 's2', roles: ['scientist', 'payer'], expires: 1_800_000_060 },
    records,
    effects: [
      {
        kind: 'access.open-session',
        id: 's2',
        expires: 1_800_000_060,
        roles: ['payer', 'scientist'],
        subject: ada,
      },
    ],
  },
  {
    action: 'access.close-session',
    payload: { session: 's1' },
    records,
    effects: [{ kind: 'access.close-session', id: 's1' }],
  },
  {
    action: 'access.put-subject',
    payload: { subject: job, attributes: { clearance: 2 }, acts_for: ada, related: { workload } },
    records,
    effects: [
      {
        kind: 'access.put-subject',
        ...job,
        attributes: { clearance: 2 },
        acts_for: ada,
        related: { workload },
      },
    ],
  },
  {
    action: 'access.put-resource',
    payload: { resource: checkpoint, attributes: { node: 'n2', b: { d: 1, c: 2 } } },
    records,
    effects: [
      { kind: 'access.put-resource', ...checkpoint, attributes: { node: 'n2' }, related: {} },
    ],
  },
  {
    action: 'access.remove-subject',
    payload: { subject: ada },
    records,
    effects: [{ kind: 'access.remove-subject', subject: ada }],
  },
  {
    action: 'access.remove-resource',
    payload: { resource: checkpoint },
    records,
    effects: [{ kind: 'access.remove-resource', resource: checkpoint }],
  },
  {
    action: 'access.request',
    payload: { ...asked, denial: DENIED, justification: 'because', until: 1_800_000_060 },
    peer: { kind: 'user', id: 'ada' },
    records,
    past,
    effects: [{ kind: 'access.put-request', state: { ...request, id: DENIED } }],
  },
  {
    action: 'access.approve-request',
    payload: { request: 'd1', until: 1_800_000_060 },
    records,
    effects: [
      { kind: 'access.put-request', state: { ...request, status: 'approved' } },
      { kind: 'access.grant', grant, subject: ada },
    ],
  },
  {
    action: 'access.revoke-approval',
    payload: { request: 'd1' },
    peer: operator,
    records,
    effects: [{ kind: 'access.revoke-grant', request: 'd1', subject: ada }],
  },
  ...['access.deny-request', 'access.show-request', 'access.withdraw-request'].map((action) => ({
    action,
    payload: { request: 'd1' },
    records,
  })),
  {
    action: 'access.import',
    payload: {
      subjects: [
        { type: 'user', id: 'bob', roles: ['scientist', 'payer'] },
        { ...job, attributes: { z: 1, a: 2 }, acts_for: ada },
      ],
      resources: [{ ...workload, related: { checkpoint } }],
    },
    records,
    effects: [
      {
        kind: 'access.import',
        subjects: [
          { type: 'user', id: 'bob', attributes: {}, related: {}, roles: ['payer', 'scientist'] },
          { ...job, attributes: { a: 2, z: 1 }, related: {}, roles: [], acts_for: ada },
        ],
        resources: [{ ...workload, attributes: {}, related: { checkpoint } }],
      },
    ],
  },
]

/** Too long for a key of its own name. */
const LONG = '\uffee'.repeat(200)
const searched: Readonly<Record<string, Json>> = {
  ...records,
  'resource/work%2Fload/w': { attributes: {}, type: 'work/load', id: 'w', related: {} },
  'subject/user/%2F': subject({ type: 'user', id: '/' }),
  'subject/user/zoe': subject({ type: 'user', id: 'zoe' }),
  [subjectKey({ type: 'user', id: LONG })]: subject({ type: 'user', id: LONG }),
  [subjectKey({ type: 'use', id: LONG })]: subject({ type: 'use', id: LONG }),
}
const searches: readonly SearchSample[] = [
  {
    action: 'access.evaluate',
    kind: 'subject',
    payload: {
      subject: { type: 'user', id: 'ignored' },
      action: { name: 'read' },
      resource: { ...checkpoint, properties: { z: 1 } },
      context: { session: 's1' },
    },
    records: searched,
    entities: ['/', 'ada', 'zoe', LONG].map((id) => ({ id, type: 'user' })),
  },
  {
    action: 'access.evaluate',
    kind: 'resource',
    payload: { subject: ada, action: { name: 'read' }, resource: { type: 'workload' } },
    records: searched,
    entities: [{ id: 'w1', type: 'workload' }],
  },
  {
    action: 'access.evaluate',
    kind: 'resource',
    payload: { subject: ada, action: { name: 'read' }, resource: { type: 'spaceship' } },
    records: searched,
    entities: [],
  },
  {
    action: 'access.evaluate',
    kind: 'action',
    payload: { subject: ada, resource: checkpoint },
    actions: ['cancel', 'read', 'write'],
    records: searched,
    entities: [{ name: 'cancel' }, { name: 'read' }, { name: 'write' }],
  },
]

export function regoOf(...folders: readonly string[]): Record<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  )
  const rego = paths.filter((path) => path.endsWith('.rego'))
  return Object.fromEntries(rego.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

export const accessSubject: PluginSubject = {
  name: 'plugin/access',
  plugin: access as Plugin,
  samples,
  searches,
  readme: readFileSync(join(root, 'plugins/access/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/access'),
}
