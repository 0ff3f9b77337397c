/** The plugin `access`: role-based access control for people, attribute-based access control for programs. See README.md. */
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { changeFacts, NO_CLAIMS } from './admin.ts'
import { candidates } from './candidates.ts'
import { CHANGE_ACTIONS, readChange } from './change.ts'
import { accessEffects } from './effects.ts'
import { EVALUATE, evaluationFacts, readEvaluation } from './evaluate.ts'
import { NO_RESOURCE, NO_SUBJECT } from './gather.ts'
import { Reader } from './reader.ts'
import { NO_ROLES, Records } from './records.ts'
import { requestFacts } from './request.ts'
import { type AccessFacts, accessSchema } from './schema.ts'

const actions: readonly string[] = [EVALUATE, ...CHANGE_ACTIONS].sort()

async function facts(
  request: Request,
  read: ReadPorts,
  _now: UnixSeconds,
  signal: AbortSignal,
): Promise<AccessFacts> {
  signal.throwIfAborted()
  const reader = new Reader()
  const records = new Records(read, signal)
  if (request.action === EVALUATE) {
    const evaluation = readEvaluation(reader.payload(request.payload), reader)
    return reader.problem === undefined
      ? evaluationFacts(evaluation, records)
      : malformed(reader.problem)
  }
  const wanted = readChange(request, reader)
  if (reader.problem !== undefined) return malformed(reader.problem)
  return wanted.request === undefined
    ? changeFacts(wanted, request.peer, records)
    : requestFacts(wanted, wanted.request, request.peer, records)
}

/** Nothing is read from the store for a payload that says nothing. */
function malformed(problem: string): AccessFacts {
  return {
    claimed: NO_CLAIMS,
    payload: { check: 'malformed', problem },
    resource: NO_RESOURCE,
    roles: { assigned: NO_ROLES },
    subject: NO_SUBJECT,
  }
}

export const access: Plugin<AccessFacts> = {
  name: 'access',
  actions,
  schema: accessSchema(actions),
  effects: accessEffects,
  facts,
  candidates,
}
