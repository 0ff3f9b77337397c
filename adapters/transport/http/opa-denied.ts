/** What a denial is in OPA's terms. Reasons that say where a change fails have OPA's status for it; everything else is a refusal. */
import type { Decision } from '../../../core/kernel.ts'
import { isKernelReason } from '../../../core/log/leaves.ts'
import { type OpaCode, OpaError } from './opa-wire.ts'

const FAILURES: Readonly<Record<string, readonly [status: number, code: OpaCode]>> = {
  document_exists: [304, 'resource_conflict'],
  document_not_found: [404, 'resource_not_found'],
  invalid_change: [400, 'invalid_parameter'],
  malformed_change: [400, 'invalid_parameter'],
  malformed_query: [400, 'invalid_parameter'],
  not_an_object: [404, 'resource_conflict'],
  owned_by_bundle: [400, 'invalid_parameter'],
  reserved_path: [400, 'invalid_parameter'],
  rule_conflict: [400, 'invalid_parameter'],
}

export function opaDenied({ id, reasons }: Decision): OpaError {
  const [first] = reasons
  const broken = reasons.find(({ code }) => isKernelReason(code))
  if (broken?.code === 'kernel/policy_failed')
    return new OpaError(500, 'internal_error', 'error(s) occurred while evaluating query', id)
  if (broken?.code === 'kernel/too_large')
    return new OpaError(
      413,
      'invalid_parameter',
      'the documents are too large for one decision',
      id,
    )
  if (broken !== undefined) return new OpaError(500, 'internal_error', broken.code, id)
  const refused = reasons.find(({ code }) => !Object.hasOwn(FAILURES, code))
  if (first === undefined || refused !== undefined)
    return new OpaError(401, 'unauthorized', 'request rejected by administrative policy', id)
  const [status, code] = FAILURES[first.code]!
  return new OpaError(status, code, `${first.code}: ${first.message}`, id)
}
