/** Every endpoint, in one table. */
import type { Kernel } from '../../../core/kernel.ts'
import type { Audit } from '../../../core/ports/audit.ts'
import { MessageDoor, RECEIVE } from './announce.ts'
import type { Answer } from './answer.ts'
import { errorAnswer } from './answer.ts'
import { explanation, outcome, query, receipt } from './audit.ts'
import { check, evaluation, metadata } from './authzen.ts'
import { evaluations } from './batch.ts'
import type { Endpoint, OpenGroup } from './call.ts'
import { decisions } from './decisions.ts'
import { checkpoint, LOG_PREFIX, tile } from './log.ts'
import { opaEndpoints } from './opa.ts'
import type { OpaView } from './opa-wire.ts'
import { type Operations, operationEndpoints } from './operations.ts'
import type { Explain, Limits } from './options.ts'
import { WELL_KNOWN } from './realm.ts'
import { requestEndpoints } from './requests.ts'
import { search } from './search.ts'

export function createEndpoints(
  kernel: Kernel,
  limits: Limits,
  publicUrl: string,
  audit?: Audit,
  opa?: OpaView,
  operations?: Operations,
  door: MessageDoor = new MessageDoor(kernel),
  explain?: Explain,
): readonly Endpoint[] {
  const post = (path: string, answer: Endpoint['answer']): Endpoint => ({
    method: 'POST',
    path,
    admitted: true,
    answer,
  })
  const get = (path: string, answer: Endpoint['answer'], open?: OpenGroup): Endpoint => ({
    method: 'GET',
    path,
    admitted: true,
    ...(open === undefined ? {} : { open }),
    answer,
  })
  return [
    post('/access/v1/evaluation', (call, peer) => evaluation(kernel, limits, call, peer)),
    post('/access/v1/evaluations', (call, peer) => evaluations(kernel, limits, call, peer)),
    ...SEARCHES.map((kind) =>
      post(`/access/v1/search/${kind}`, (call, peer) => search(kind, kernel, limits, call, peer)),
    ),
    ...requestEndpoints(kernel, limits, publicUrl),
    post('/assay/v1/check', (call, peer) => check(kernel, limits, call, peer)),
    post('/assay/v1/decisions', (call, peer) => decisions(kernel, limits, call, peer)),
    ...(kernel.actions.includes(RECEIVE)
      ? [post('/assay/v1/announce', (call, peer) => door.answer(call, peer))]
      : []),
    get('/assay/v1/receipts/:id', (call, peer) => receipt(kernel, audit, call, peer)),
    ...(audit
      ? [
          post('/assay/v1/audit/query', (call, peer) => query(audit, limits, call, peer)),
          get('/assay/v1/decisions/:id', (call) => outcome(audit, call)),
        ]
      : []),
    ...(audit && explain
      ? [get('/assay/v1/explanations/:id', (call, peer) => explanation(audit, explain, call, peer))]
      : []),
    get(WELL_KNOWN, () => metadata(kernel, publicUrl), 'metadata'),
    get(`${LOG_PREFIX}checkpoint`, () => checkpoint(kernel.log), 'log'),
    get(`${LOG_PREFIX}tile/*`, (call) => tile(kernel.log, call), 'log'),
    ...operationEndpoints(kernel, operations),
    ...(opa ? opaEndpoints(kernel, limits, opa) : []),
  ]
}
const SEARCHES = ['subject', 'resource', 'action'] as const

/** The answer where a path exists and the method does not. */
export function wrongMethod(methods: readonly string[]): Answer {
  const allow = methods
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
  return errorAnswer(405, 'method_not_allowed', `use ${allow}`, { allow })
}
