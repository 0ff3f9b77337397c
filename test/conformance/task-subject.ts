/** `task` as the plugin laws see it: one valid request for each action, with real sets and tasks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { parseEnvelope } from '../../formats/dsse/index.ts'
import { readVerifierSet, remember, type VerifierSet } from '../../formats/task/index.ts'
import { task } from '../../plugins/task/facts.ts'
import { Platform, START } from '../task/platform.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const platform = new Platform()
const [a, b] = [platform.key('a'), platform.key('b')]
const first = platform.set(1, [a.active, b.preActive])
const second = platform.set(2, [a.grace(START + 500), b.active])

const read = (envelope: string): readonly [set: VerifierSet, digest: string] => {
  const payload = parseEnvelope(envelope)?.payload ?? new Uint8Array()
  return [readVerifierSet(payload) as VerifierSet, sha256Hex(payload)]
}
const known = remember(...read(first), undefined) as unknown as Json
const json = (text: string): Json => JSON.parse(text) as Json
const [document, digest] = read(second)

const records: Readonly<Record<string, Json>> = {
  roots: [platform.root.x],
  'sent/t1': { expires_at: START + 10, node_id: 'node-7', type: 'node.install-package' },
  set: known,
  'used/node-7': [['t0', START + 10]],
}
const sample = (action: string, payload: Json, more: Partial<PluginSample> = {}): PluginSample => ({
  ...{ action, payload, records, peer: { kind: 'operator', id: 'root' } },
  ...more,
})
const params = { digest: `sha256:${'ab'.repeat(32)}`, name: 'driver' }
const asked = { node_id: 'node-7', params, type: 'node.install-package', version: 1 }

const samples: readonly PluginSample[] = [
  sample(
    'task.accept',
    { envelope: json(platform.task('t2', [a])), node_id: 'node-7' },
    { effects: [{ kind: 'task.use', expires_at: START + 600, node_id: 'node-7', task_id: 't2' }] },
  ),
  sample('task.accept', {
    envelope: json(platform.task('t2', [b], {}, { keyids: false })),
    node_id: 'node-7',
  }),
  sample(
    'task.ingest',
    { envelope: json(second) },
    { effects: [{ kind: 'task.take', digest, document: document as unknown as Json }] },
  ),
  sample(
    'task.report',
    { node_id: 'node-7', outcome: 'done', task_id: 't1' },
    { effects: [{ kind: 'task.close', task_id: 't1' }] },
  ),
  sample('task.sign', asked, {
    effects: [{ kind: 'task.sign', ...asked, key: 'task', key_version: 2, kid: b.kid, ttl: 600 }],
    foreign: {
      signer: {
        'key/task/task': {
          versions: [{ kid: b.kid, public_key: b.x, state: 'active', version: 2, grace_until: 0 }],
        },
      },
    },
  }),
  sample(
    'task.trust',
    { root: a.x, trusted: true },
    { effects: [{ kind: 'task.trust', root: a.x, trusted: true }] },
  ),
]

export const taskSubject: PluginSubject = {
  name: 'plugin/task',
  plugin: task as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/task/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/lib/signing', 'policies/task'),
}
