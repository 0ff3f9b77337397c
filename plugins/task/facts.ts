/** The plugin `task`: what the platform asks nodes to do, and what a node may make of it. See README.md. */
import { canonicalJson } from '../../core/canonical.ts'
import { JsonError } from '../../core/error.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { SIGNER, signingKeyFacts } from '../../formats/signingkey/index.ts'
import { TASK_TYPES, type Task, type TaskType, verifyKeyOf } from '../../formats/task/index.ts'
import { taskEffects } from './effects.ts'
import { ROOTS, sentRecord, TASK_KEY, TASK_SCOPE } from './keys.ts'
import { acceptFacts, ingestFacts, type Reads, UNREAD } from './received.ts'
import { actions, type Payload, payloads, type TaskFacts, taskSchema } from './schema.ts'

/** The plugin with types of tasks of one's own; `task` has those that come with the package. */
export function createTask(types: readonly TaskType[]): Plugin<TaskFacts> {
  return {
    name: 'task',
    actions,
    schema: taskSchema,
    reads: [SIGNER],
    effects: taskEffects,
    facts: (request, read, now, signal) => facts(request, read, now, signal, types),
  }
}
export const task: Plugin<TaskFacts> = createTask(TASK_TYPES)

async function facts(
  request: Request,
  read: ReadPorts,
  _now: UnixSeconds,
  signal: AbortSignal,
  types: readonly TaskType[],
): Promise<TaskFacts> {
  signal.throwIfAborted()
  const payload = readPayload(request)
  if ('problem' in payload) return { ...NOTHING, payload: { check: 'malformed', ...payload } }
  const said = { ...NOTHING, claimed: claimedOf(payload) }
  const reads = until(signal, read)
  switch (request.action) {
    case 'task.accept':
      return { ...said, ...(await acceptFacts(payload, reads, types)) }
    case 'task.ingest':
      return { ...said, ...(await ingestFacts(payload, reads)) }
    case 'task.report':
      return { ...said, sent: await sentFacts(payload, reads) }
    case 'task.trust':
      return { ...said, root: await rootFacts(payload, reads) }
    default:
      return { ...said, ...(await signFacts(payload, reads, types)) }
  }
}

function readPayload({ action, payload }: Request): Payload | { readonly problem: string } {
  try {
    const value = payload.json()
    const problem = payloads[action]?.problem(value, '')
    return problem === undefined ? (value as Payload) : { problem: problem.slice(0, MAX_PROBLEM) }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 512

async function signFacts(
  { params = {}, type, version }: Payload,
  read: Reads,
  types: readonly TaskType[],
): Promise<Pick<TaskFacts, 'key' | 'type'>> {
  const known = types.find((one) => one.type === type && one.version === version)
  const fits = known?.params.problem(params, '') === undefined
  return {
    key: await signingKeyFacts(read.getFrom, TASK_SCOPE, TASK_KEY),
    type: { fits: known !== undefined && fits, known: known !== undefined },
  }
}

async function sentFacts({ task_id = '' }: Payload, read: Reads): Promise<TaskFacts['sent']> {
  const record = (await read.get(sentRecord(task_id))) as { readonly node_id: string } | undefined
  return record === undefined ? NOTHING.sent : { known: true, node_id: record.node_id }
}

async function rootFacts({ root = '' }: Payload, read: Reads): Promise<TaskFacts['root']> {
  if (verifyKeyOf(root) === undefined) return { ...NOTHING.root, check: 'weak_key' }
  const roots = ((await read.get(ROOTS)) ?? []) as readonly string[]
  return { check: 'valid', count: roots.length, trusted: roots.includes(root) }
}

/** In one order, whatever the caller's was. */
function claimedOf({ envelope: _, params = {}, ...said }: Payload): TaskFacts['claimed'] {
  const ordered = JSON.parse(canonicalJson(params)) as Task['params']
  return { ...NOTHING.claimed, ...said, params: ordered }
}

/** Reads nothing once the caller has given up. */
function until(signal: AbortSignal, read: ReadPorts): Reads {
  return {
    get: async (sort) => {
      signal.throwIfAborted()
      return read.get(sort)
    },
    getFrom: async (plugin, sort) => {
      signal.throwIfAborted()
      return read.getFrom(plugin, sort)
    },
  }
}

const NOTHING: TaskFacts = {
  claimed: {
    node_id: '',
    outcome: 'none',
    params: {},
    reason: '',
    root: '',
    task_id: '',
    trusted: false,
    ttl: 0,
    type: '',
    version: 0,
  },
  envelope: { check: 'absent', type: '' },
  key: { kid: '', managed: false, name: TASK_KEY, public_key: '', scope: TASK_SCOPE, version: 0 },
  payload: { check: 'valid' },
  root: { check: 'absent', count: 0, trusted: false },
  sent: { known: false, node_id: '' },
  set: UNREAD,
  signature: { check: 'absent', each: [] },
  task: { check: 'absent', known: false },
  type: { fits: false, known: false },
  used: false,
}
