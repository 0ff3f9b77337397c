/** `release` as the plugin laws see it: one valid request for each action, about real keys and real signatures. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64url } from '../../core/base64.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { keyIdText } from '../../formats/minisign/index.ts'
import { release } from '../../plugins/release/facts.ts'
import { question } from '../release/desk.ts'
import { released, Signer } from '../release/signer.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const operator = { kind: 'operator', id: 'root' }
const first = new Signer('first')
const second = new Signer('second')
const [one, two] = [first, second].map(({ keyId }) => keyIdText(keyId)) as [string, string]

const pin = (signer: Signer, more: object = {}): Json => {
  const id = keyIdText(signer.keyId)
  const about = { key_id: id, lineage: id, public_key: signer.text, since: 1, state: 'active' }
  return { ...about, ...more }
}
const known = (signer: Signer): Json => ({
  key_id: keyIdText(signer.keyId),
  public_key: signer.text,
  scope: 'release',
})
const keyRecord = (signer: Signer): string => `key/${toBase64url(signer.publicKey)}`
const records: Readonly<Record<string, Json>> = {
  [`pin/${one}`]: pin(first),
  [keyRecord(first)]: known(first),
  [`version/${one}/grafos-*-x86_64-linux.tar.gz`]: { timestamp: 5, version: '1.4.1' },
}
const afterwards: Readonly<Record<string, Json>> = {
  ...records,
  [`pin/${one}`]: pin(first, { state: 'grace', until: 1_900_000_000 }),
  [`pin/${two}`]: pin(second, { lineage: one, predecessor: one }),
  [keyRecord(second)]: known(second),
}
const sample = (action: string, payload: object, more: Partial<PluginSample>): PluginSample => ({
  action,
  payload: payload as Json,
  peer: operator,
  records,
  ...more,
})
const pinEffect = { kind: 'release.pin', key_id: two, public_key: second.text }
const recordEffect = {
  kind: 'release.record',
  family: 'grafos-*-x86_64-linux.tar.gz',
  lineage: one,
  timestamp: 7,
  version: '1.4.2',
}
const state = (to: string, more: object = {}) => ({
  kind: 'release.state',
  key_id: one,
  state: to,
  ...more,
})
const minimum = { timestamp: 5, version: '1.0' }

const samples: readonly PluginSample[] = [
  sample(
    'release.pin',
    { public_key: second.text },
    {
      foreign: { enrolment: { [keyRecord(second)]: { scope: 'release' } } },
      effects: [{ ...pinEffect, lineage: two }],
    },
  ),
  sample('release.drop', { public_key: first.text }, { effects: [state('revoked')] }),
  sample(
    'release.hand-over',
    {
      public_key_file: toBase64url(second.file),
      signature: toBase64url(first.sign(second.file, { comment: 'the next one' })),
    },
    {
      effects: [
        { ...pinEffect, lineage: one, predecessor: one },
        state('grace', { until: 1_900_000_000 }),
      ],
    },
  ),
  sample('release.verify', question(released(first), { keys: [first.text], minimum }), {
    effects: [recordEffect],
  }),
  sample('release.verify', question(released(first, { algorithm: 'legacy' })), {}),
  sample('release.verify', question(released(second)), {
    records: afterwards,
    effects: [recordEffect, state('retired')],
  }),
]

export const releaseSubject: PluginSubject = {
  name: 'plugin/release',
  plugin: release as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/release/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/release'),
}
