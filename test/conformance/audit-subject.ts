/** `audit` as the plugin laws see it: one valid request for each action over a short log, with the effects that follow. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import { encodeLeaf } from '../../core/log/leaf.ts'
import type { DecisionLeaf } from '../../core/log/leaves.ts'
import type { AuditedDecision, AuditReads, Plugin } from '../../core/plugin.ts'
import { audit } from '../../plugins/audit/facts.ts'
import { regoOf } from './access-subject.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const carol = { kind: 'user', id: 'carol' }
const ids = [1, 2, 3].map((n) => String(n).padStart(32, '0'))

/** Three decisions, the second one erased, and a leaf that is no decision. */
const leaves: readonly string[] = [
  ...ids.map((id, i) =>
    encodeLeaf({
      type: 'assay.decision/v1',
      id,
      time: 1_790_000_000 + i,
      action: i === 2 ? 'access.assign' : 'access.evaluate',
      allow: i === 0,
      reasons: [{ code: 'no_role', rule: 'assay.access.deny' }],
      policy: 'none',
      revision: 'none',
      commitments: {},
    } satisfies DecisionLeaf),
  ),
  encodeLeaf({ type: 'assay.counts/v1', kind: 'checks', from: 1, to: 2, counts: [] }),
]
const encoder = new TextEncoder()
const log: AuditReads = {
  size: async () => BigInt(leaves.length),
  leaves: async (from, count) =>
    leaves.slice(Number(from), Number(from) + count).map((leaf) => encoder.encode(leaf)),
  async decision(id): Promise<AuditedDecision | undefined> {
    const at = ids.indexOf(id)
    if (at < 0) return undefined
    return { index: BigInt(at), leaf: leaves[at] as string, opened: at !== 1, peer: carol }
  },
}

const filter = { actions: ['access.*'], allow: true, reasons: ['no_role'] }
const hold = { name: 'case-7', filter: { actions: ['access.assign'] } }
const records: Readonly<Record<string, Json>> = { 'hold/case-7': hold }
const sample = (action: string, payload: Json, more: Partial<PluginSample> = {}): PluginSample => ({
  action,
  payload,
  peer: carol,
  records,
  audit: log,
  ...more,
})

const samples: readonly PluginSample[] = [
  sample('audit.query', { ...filter, from: '0', to: '9', fields: ['verdict', '*'], limit: 5 }),
  sample('audit.query', { since: 1, until: 2, rules: ['b', 'a'], policy: 'none', purpose: 'why' }),
  sample('audit.receipt', { id: ids[2] as string, purpose: 'mine' }),
  sample('audit.receipt', { id: 'f'.repeat(32) }),
  sample('audit.erase', filter, { effects: [{ kind: 'audit.erase', ids: [ids[0] as string] }] }),
  sample('audit.erase', { ids, allow: false }),
  sample('audit.expire', { from: '1' }, { effects: [{ kind: 'audit.erase', ids }] }),
  sample(
    'audit.hold',
    { name: 'case-8', ...filter },
    { effects: [{ kind: 'audit.hold', filter, name: 'case-8' }] },
  ),
  sample(
    'audit.release',
    { name: 'case-7', purpose: 'over' },
    { effects: [{ kind: 'audit.release', name: 'case-7' }] },
  ),
]

export const auditSubject: PluginSubject = {
  name: 'plugin/audit',
  plugin: audit as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/audit/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/audit'),
}
