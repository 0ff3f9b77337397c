/**
 * Facts for requests for access: somebody was denied, asks for it, and somebody else approves. A request is bound to a denied evaluation
 * in the log, whatever the requester says about it; what an approval gives lies beside the subject's roles, where evaluations see it.
 *
 * @see https://github.com/openid/authzen/tree/main/profiles/authzen-access-request-approval
 */
import type { Json } from '../../core/json.ts'
import type { PastDecision } from '../../core/plugin.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { actorOf, NO_CLAIMS } from './admin.ts'
import type { Wanted } from './change.ts'
import { type Evaluation, readEvaluation } from './evaluate.ts'
import { both, NO_RESOURCE, NO_SUBJECT, resourceFact, subjectFact } from './gather.ts'
import { type Members, NOTHING, own, Reader } from './reader.ts'
import { NO_ROLES, type Records, type RequestRecord } from './records.ts'
import type { AccessFacts, DenialFact, Ref, RequestFact } from './schema.ts'

export async function requestFacts(
  { change, evaluation }: Wanted,
  id: string,
  peer: Peer,
  records: Records,
): Promise<AccessFacts> {
  const [actor, record, denial] = await Promise.all([
    actorOf(peer, records),
    records.request(id),
    evaluation && denialFact(evaluation, id, records),
  ])
  const about = evaluation
    ? { action: evaluation.action, resource: evaluation.resource, subject: evaluation.subject }
    : record?.state
  const [resource, subject] = about
    ? await factsOf(about, records)
    : ([NO_RESOURCE, NO_SUBJECT] as const)
  const held = about && (await records.assignment(about.subject))
  return {
    claimed: NO_CLAIMS,
    payload: { ...(about && { action: about.action }), change, check: 'valid' },
    resource,
    roles: {
      ...(actor && { actor }),
      assigned: held?.roles ?? NO_ROLES,
      ...(denial && { denial }),
      ...(held?.grants && { grants: held.grants }),
      request: requestFact(id, record),
    },
    subject,
  }
}

async function factsOf(about: { readonly resource: Ref; readonly subject: Ref }, records: Records) {
  const [resource, subject] = await Promise.all([
    records.resource(about.resource),
    records.subject(about.subject),
  ])
  return both(
    resourceFact(about.resource, resource, records),
    subjectFact(about.subject, subject, records),
  )
}

function requestFact(id: string, record: RequestRecord | undefined): RequestFact {
  if (!record) return { found: false, id }
  const { approval, state } = record
  return { ...(approval && { approval }), found: true, id, state }
}

async function denialFact(wanted: Evaluation, id: string, records: Records): Promise<DenialFact> {
  const decision = await records.decided(id)
  if (decision?.action !== 'access.evaluate') return { check: 'unknown' }
  if (tuple(evaluated(decision)) !== tuple(wanted)) return { check: 'mismatch' }
  const { allow, output } = membersOf(decision.verdict)
  const expires = own(membersOf(own(membersOf(output), 'access_request')), 'expires_at')
  if (allow !== false || typeof expires !== 'number') return { check: 'valid' }
  return { check: 'valid', expires }
}

function evaluated({ payload }: PastDecision): Evaluation {
  const reader = new Reader()
  const members = reader.payload(Payload.fromBytes(new TextEncoder().encode(payload)))
  return readEvaluation(members, reader)
}

/** Subject, action and resource with their properties, in one order of members. The context is not part of what is requested. */
function tuple({ action, claimed, resource, subject }: Evaluation): string {
  return JSON.stringify([
    action,
    claimed.action,
    claimed.resource,
    claimed.subject,
    resource,
    subject,
  ])
}

function membersOf(value: Json | undefined): Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Members) : NOTHING
}
