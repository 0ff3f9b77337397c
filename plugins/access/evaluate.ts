/**
 * `access.evaluate`: an AuthZEN 1.0 access evaluation request. Whether the request's own properties are true, nobody knows here: they are
 * reported as claims, and everything else comes from the store.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html section 6
 */
import { both, resourceFact, sessionFact, subjectFact } from './gather.ts'
import { type Members, own, type Reader } from './reader.ts'
import { type AssignmentRecord, NO_ROLES, type Records, type SessionRecord } from './records.ts'
import type { AccessFacts, Claimed, Ref, RolesFact } from './schema.ts'

export const EVALUATE = 'access.evaluate'

export interface Evaluation {
  readonly action: string
  readonly claimed: Claimed
  readonly resource: Ref
  /** `context.session`: a session to evaluate under. Only a name: the record says whose it is. */
  readonly session: string | undefined
  readonly subject: Ref
}

/** Members that AuthZEN does not define are ignored, as it demands. */
export function readEvaluation(members: Members, reader: Reader): Evaluation {
  const subject = reader.object(own(members, 'subject'), '/subject')
  const action = reader.object(own(members, 'action'), '/action')
  const resource = reader.object(own(members, 'resource'), '/resource')
  const context = reader.attributes(own(members, 'context'), '/context')
  const session = own(context, 'session')
  return {
    action: reader.name(own(action, 'name'), '/action/name'),
    claimed: {
      action: reader.attributes(own(action, 'properties'), '/action/properties'),
      context,
      resource: reader.attributes(own(resource, 'properties'), '/resource/properties'),
      subject: reader.attributes(own(subject, 'properties'), '/subject/properties'),
    },
    resource: reader.ref(resource, '/resource'),
    // Ignoring a session that cannot be read would give more roles than the session has.
    session: session === undefined ? undefined : reader.name(session, '/context/session'),
    subject: reader.ref(subject, '/subject'),
  }
}

/** Three guarded reads, four with a session, and one for each record that these point to. */
export async function evaluationFacts(
  evaluation: Evaluation,
  records: Records,
): Promise<AccessFacts> {
  const { action, claimed, session } = evaluation
  const [subject, held, resource, opened] = await Promise.all([
    records.subject(evaluation.subject),
    records.assignment(evaluation.subject),
    records.resource(evaluation.resource),
    session === undefined ? undefined : records.session(session),
  ])
  const reports = both(
    resourceFact(evaluation.resource, resource, records),
    subjectFact(evaluation.subject, subject, records),
  )
  const [resourceReport, subjectReport] = reports instanceof Promise ? await reports : reports
  return {
    claimed,
    payload: { action, check: 'valid' },
    resource: resourceReport,
    roles: rolesFact(held, session, opened),
    subject: subjectReport,
  }
}

function rolesFact(
  held: AssignmentRecord | undefined,
  session: string | undefined,
  opened: SessionRecord | undefined,
): RolesFact {
  const assigned = held?.roles ?? NO_ROLES
  const grants = held?.grants
  if (session === undefined) return grants === undefined ? { assigned } : { assigned, grants }
  const fact = sessionFact(session, opened)
  return grants === undefined ? { assigned, session: fact } : { assigned, grants, session: fact }
}
