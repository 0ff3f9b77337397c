/** The plugin `audit`: who may look into decisions, and which of their openings are erased. See README.md. */
import { JsonError } from '../../core/error.ts'
import type { DecisionFilter } from '../../core/log/query.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { auditEffects } from './effects.ts'
import { HOLDS, holdKey } from './keys.ts'
import { Records } from './records.ts'
import {
  type AuditFacts,
  actions,
  auditSchema,
  DEFAULT_LIMIT,
  type HoldRecord,
  type Payload,
  payloads,
} from './schema.ts'

async function facts(
  request: Request,
  read: ReadPorts,
  _now: UnixSeconds,
  signal: AbortSignal,
): Promise<AuditFacts> {
  signal.throwIfAborted()
  const payload = readPayload(request)
  if ('problem' in payload) return malformed(payload.problem)
  const { fields = [], id, limit = DEFAULT_LIMIT, name, purpose = '', ...filter } = payload
  const hold = name === undefined ? undefined : await read.get(holdKey(name))
  return {
    claimed: { purpose },
    hold: { found: hold !== undefined, name: name ?? '' },
    payload: { check: 'valid', fields: sorted(fields), filter: ordered(filter), limit },
    records: await recordsFor(request, id, filter, read, signal),
  }
}

/** Strict JSON in the form that the action expects. */
function readPayload({ action, payload }: Request): Payload | { readonly problem: string } {
  try {
    const value = payload.json()
    const problem = payloads[action]?.problem(value, '')
    if (problem !== undefined) return { problem: problem.slice(0, MAX_PROBLEM) }
    const read = value as Payload
    const { fields, id, limit, name, purpose, ...filter } = read
    return needsFilter.has(action) && Object.keys(filter).length === 0
      ? { problem: '/: expected what the decisions have in common' }
      : read
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 1024
/** An empty filter fits everything, which is never meant by these. */
const needsFilter: ReadonlySet<string> = new Set(['audit.erase', 'audit.hold'])

async function recordsFor(
  { action, peer }: Request,
  id: string | undefined,
  filter: DecisionFilter,
  read: ReadPorts,
  signal: AbortSignal,
): Promise<AuditFacts['records']> {
  if (!looksUp.has(action)) return { items: [] }
  if (!read.audit) throw new Error('the composition root did not name this plugin as auditor')
  const holds = await read.listGuarded(HOLDS)
  const named = holds.map(({ value }) => value as unknown as HoldRecord)
  const records = new Records(read.audit, named, peer, signal)
  return id === undefined ? records.opened(filter) : records.one(id)
}
const looksUp: ReadonlySet<string> = new Set(['audit.erase', 'audit.expire', 'audit.receipt'])

function malformed(problem: string): AuditFacts {
  return {
    claimed: { purpose: '' },
    hold: { found: false, name: '' },
    payload: { check: 'malformed', fields: [], filter: {}, limit: DEFAULT_LIMIT, problem },
    records: { items: [] },
  }
}

const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort()

function ordered(filter: DecisionFilter): DecisionFilter {
  const members = Object.entries(filter).map(([name, value]) => [
    name,
    Array.isArray(value) ? sorted(value) : value,
  ])
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const audit: Plugin<AuditFacts> = {
  name: 'audit',
  actions,
  schema: auditSchema,
  lists: [HOLDS],
  effects: auditEffects,
  facts,
}
