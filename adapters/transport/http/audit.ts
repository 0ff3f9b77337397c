/**
 * Looking into decisions: receipts by id, and queries. Who may open what is a decision of its own; this server carries it out, so a denied
 * query is 403, and a receipt that may not be opened comes without openings: leaf and proof are public.
 */

import { KernelError } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Audit } from '../../../core/ports/audit.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, errorAnswer, jsonAnswer, notFound } from './answer.ts'
import type { Call } from './call.ts'
import { decisionHeaders, readObject, readWishes, submissionOf } from './frame.ts'
import type { Explain, Limits } from './options.ts'

const PRIVATE = { 'cache-control': 'no-store' }
const DECISION_ID = /^[0-9a-f]{32}$/

/** POST /assay/v1/audit/query: the payload of `audit.query`. */
export async function query(audit: Audit, limits: Limits, call: Call, peer: Peer): Promise<Answer> {
  const wishes = readWishes(call, peer, limits.seal)
  const members = await readObject(call, limits.maxBodyBytes)
  const submission = submissionOf('audit.query', Payload.fromParsed(members), wishes)
  const { decision, ...page } = await audit.query(submission, wishes.options)
  const { id, allow, reasons } = decision
  const headers = { ...decisionHeaders(decision), ...PRIVATE }
  return allow
    ? jsonAnswer({ decision: { id, allow, reasons }, ...page }, headers)
    : jsonAnswer({ decision: { id, allow, reasons } }, headers, 403)
}

/** GET /assay/v1/receipts/:id, under the newest head. */
export async function receipt(
  kernel: Kernel,
  audit: Audit | undefined,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const id = idIn(call)
  if (id === undefined) return notFound()
  if (!audit) return withoutOpenings(kernel, id)
  const found = await audit.receipt(id, peer, readWishes(call, peer, undefined).options)
  if (!found) return notFound()
  const { decision, record } = found
  return jsonAnswer(record.receipt, { ...decisionHeaders(decision), ...PRIVATE })
}

async function withoutOpenings(kernel: Kernel, id: string): Promise<Answer> {
  const found = await kernel.receipt(id)
  if (!found) return notFound()
  const { type, leaf, proof } = found
  return jsonAnswer({ type, leaf, proof }, PRIVATE)
}

/**
 * GET /assay/v1/explanations/:id: why, to whoever may open everything that the policy was asked. It is asked for as a receipt is, and logged
 * as that.
 */
export async function explanation(
  audit: Audit,
  explain: Explain,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const id = idIn(call)
  const found = id && (await audit.receipt(id, peer, readWishes(call, peer, undefined).options))
  if (!found) return notFound()
  const { decision, record } = found
  const headers = { ...decisionHeaders(decision), ...PRIVATE }
  if (record.erased) return errorAnswer(410, 'erased', 'what it was asked is gone', headers)
  try {
    return jsonAnswer(await explain(record.receipt), headers)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const { code } = error
    return code === 'withheld'
      ? errorAnswer(403, code, 'not all of it may be opened for you', headers)
      : errorAnswer(422, code, 'this decision cannot be explained', headers)
  }
}

/** GET /assay/v1/decisions/:id: what came of a decision whose answer did not say, or was lost. */
export async function outcome(audit: Audit, call: Call): Promise<Answer> {
  const id = idIn(call)
  const found = id === undefined ? undefined : await audit.outcome(id)
  return found ? jsonAnswer(found, PRIVATE) : notFound()
}

function idIn({ path }: Call): string | undefined {
  const id = path.slice(path.lastIndexOf('/') + 1)
  return DECISION_ID.test(id) ? id : undefined
}
