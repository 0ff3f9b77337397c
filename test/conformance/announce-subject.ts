/** `announce` as the plugin laws see it: one valid request for each action and type of message, with the effects that follow. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { announce } from '../../plugins/announce/facts.ts'
import { signedCall, signingKey } from '../keys.ts'
import { announcement, messageOf, NOW } from '../messages.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const controller = signingKey('controller')
const cell = signingKey('cell-a')
const other = signingKey('cell-b').publicKey
const id = 'a'.repeat(64)
const signer = { custody: 'cell', signer: cell.publicKey }

/** As the plugin `enrolment` keeps them. */
const foreign = {
  enrolment: {
    controller: {
      keys: [{ custody: 'controller', public_key: controller.publicKey, state: 'active' }],
    },
    'cell/cell-a': {
      cell: 'cell-a',
      keys: [{ custody: 'cell', public_key: cell.publicKey, state: 'active' }],
      local: true,
    },
    [`key/${cell.publicKey}`]: {
      owner: 'cell-a',
      public_key: cell.publicKey,
      scope: 'cell',
      state: 'active',
    },
  },
}
const entry = { at: NOW, id, kind: 'token', until: NOW + 300 }
const item = { ...entry, origin: 'cell-a', reach: 'cell-a', sequence: 3 }
const records: Readonly<Record<string, Json>> = {
  own: { oldest: 0, sequence: 3, swept: 0 },
  'own/cell-a': { sequence: 3 },
  'journal/0': { items: [item] },
  [`revoked/token/cell-a/${id}`]: item,
  'feed/cell-b': { as_of: NOW, cell: 'cell-b', seen: 7, sequence: 7, signer: other },
  [`signer/${controller.publicKey}`]: { sequence: 1, time: NOW },
}
const sample = (
  action: string,
  payload: Json,
  ...effects: NonNullable<PluginSample['effects']>
): PluginSample => ({ action, payload, effects, foreign, records })
const message = (body: Readonly<Record<string, Json>>): Json => ({
  message: toBase64url(messageOf(controller, { seq: 2, ...body })),
})
const feed = { after: 7, cell: 'cell-b', entries: [entry] }
const learned = {
  cell: 'cell-b',
  entries: [{ ...entry, reach: 'cell-b' }],
  kind: 'announce.learn',
  sequence: 9,
}
const followed = {
  after: 7,
  as_of: NOW,
  cell: 'cell-b',
  complete: true,
  kind: 'announce.follow',
  sequence: 9,
  signer: other,
}
const span = { expires: NOW + 60, key: other, not_before: NOW, types: ['ANNOUNCE'] }

const receiving: readonly PluginSample[] = [
  sample(
    'announce.receive',
    message(announcement()),
    { kind: 'announce.accept', key: controller.publicKey, sequence: 2, time: NOW },
    {
      kind: 'announce.offer',
      cell: 'cell-b',
      endpoint: 'https://cell-b.test',
      service: 'gpu',
      signer: controller.publicKey,
      until: NOW + 9,
    },
  ),
  sample('announce.receive', message({ type: 'WITHDRAW', cell: 'cell-b', service: 'gpu' }), {
    kind: 'announce.withdraw',
    cell: 'cell-b',
    service: 'gpu',
  }),
  sample('announce.receive', message({ type: 'REVOKE_BROADCAST', ...feed }), learned, followed, {
    kind: 'announce.fetch',
    cell: 'cell-b',
  }),
  sample(
    'announce.learn',
    message({ type: 'REVOCATIONS', ...feed, more: false, through: 9 }),
    learned,
    followed,
  ),
  sample('announce.receive', message({ type: 'DELEGATE', ...span, cells: ['cell-b'] }), {
    kind: 'announce.delegate',
    by: controller.publicKey,
    ...span,
    cells: ['cell-b'],
  }),
  sample('announce.receive', message({ type: 'UNDELEGATE', key: other }), {
    kind: 'announce.undelegate',
    key: other,
  }),
  {
    ...sample('announce.receive', message(announcement()), {
      kind: 'announce.pin',
      key: controller.publicKey,
    }),
    foreign: {},
  },
]

const asked = { cell: 'cell-a', id: 'b'.repeat(64), kind: 'token', until: NOW + 60, why: 'lost' }
const call = { action: 'announce.revoke', cell: 'cell-a', time: NOW }
const nonce = toBase64url(new Uint8Array(16))

const making: readonly PluginSample[] = [
  sample(
    'announce.revoke',
    signedCall(cell, { ...call, body: asked, nonce }),
    { kind: 'announce.heard', cell: 'cell-a', nonce, time: NOW },
    {
      kind: 'announce.revoke',
      ...signer,
      cell: 'cell-a',
      id: asked.id,
      of: 'token',
      reach: 'cell-a',
      until: NOW + 60,
    },
  ),
  sample('announce.revoke', { cell: 'cell-a', id, kind: 'lease', below: 4 }),
  sample(
    'announce.publish',
    {
      as: 'controller',
      from: 'control',
      message: { type: 'UNDELEGATE', key: other },
      send: true,
    },
    {
      kind: 'announce.publish',
      body: { type: 'UNDELEGATE', key: other },
      custody: 'controller',
      from: 'control',
      scope: 'controller',
      send: true,
      signer: controller.publicKey,
    },
  ),
  sample('announce.publish', { as: 'cell', from: 'cell-a', message: { ...announcement() } }),
  sample(
    'announce.revocations',
    { cell: 'cell-a', after: 1 },
    {
      kind: 'announce.answer',
      ...signer,
      after: 1,
      cell: 'cell-a',
      entries: [entry],
      more: false,
      through: 3,
    },
  ),
  sample(
    'announce.sweep',
    {},
    {
      kind: 'announce.sweep',
      chunks: [{ chunk: 0, done: false, due: [{ id, kind: 'token', reach: 'cell-a' }] }],
    },
  ),
]

export const announceSubject: PluginSubject = {
  name: 'plugin/announce',
  plugin: announce as Plugin,
  samples: [...receiving, ...making],
  readme: readFileSync(join(root, 'plugins/announce/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/call', 'policies/announce'),
}
