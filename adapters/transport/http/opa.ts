/**
 * OPA's REST API over the kernel, for clients that know nothing else. Only there when a configuration names OPA policies.
 *
 * @see https://www.openpolicyagent.org/docs/rest-api
 */
import type { Kernel } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import type { Endpoint } from './call.ts'
import { readWishes, submissionOf } from './frame.ts'
import { deleteData, patchData, putData } from './opa-data.ts'
import { opaDenied } from './opa-denied.ts'
import { queryBatch, queryData, queryValue } from './opa-query.ts'
import {
  type OpaCall,
  type OpaDoor,
  OpaError,
  type OpaView,
  opaAnswered,
  opaJson,
  Turns,
} from './opa-wire.ts'
import type { Limits } from './options.ts'

type Handler = (call: OpaCall, peer: Peer) => Answer | Promise<Answer>

export function opaEndpoints(kernel: Kernel, limits: Limits, view: OpaView): readonly Endpoint[] {
  const door: OpaDoor = { kernel, limits, view, changes: new Turns() }
  const at = (
    method: Endpoint['method'],
    paths: readonly string[],
    handler: Handler,
  ): readonly Endpoint[] =>
    paths.map((path) => ({ method, path, admitted: true, answer: opaAnswered(kernel, handler) }))
  const data = ['/v1/data', '/v1/data/*']
  const policies = ['/v1/policies', '/v1/policies/*']
  const value =
    (path: (call: OpaCall) => readonly string[]): Handler =>
    (call, peer) =>
      queryValue(door, call, peer, path(call))
  return [
    ...at('GET', data, (call, peer) => notHead(call) ?? queryData(door, call, peer)),
    ...at('POST', data, (call, peer) => queryData(door, call, peer)),
    ...at('PUT', data, (call, peer) => putData(door, call, peer)),
    ...at('PATCH', data, (call, peer) => patchData(door, call, peer)),
    ...at('DELETE', data, (call, peer) => deleteData(door, call, peer)),
    ...at(
      'POST',
      ['/v0/data', '/v0/data/*'],
      value((call) => call.path('/v0/data')),
    ),
    ...at(
      'POST',
      ['/'],
      value(() => ['system', 'main']),
    ),
    ...at('POST', ['/v1/batch/data/*'], (call, peer) => queryBatch(door, call, peer)),
    ...at('GET', policies, (call, peer) => readPolicies(door, call, peer)),
    ...at('PUT', policies, signedPolicies),
    ...at('DELETE', policies, signedPolicies),
    ...at('GET', ['/v1/config'], (call) => opaJson(call, { result: config(kernel) })),
    ...at('GET', ['/v1/status'], (call) => opaJson(call, { result: status(kernel) })),
    ...['/v1/query', '/v1/compile', '/v1/compile/*'].flatMap((path) => [
      ...at('GET', [path], notServed),
      ...at('POST', [path], notServed),
    ]),
    {
      method: 'GET',
      path: '/health',
      admitted: false,
      open: 'health',
      answer: () => health(kernel),
    },
  ]
}

function notHead({ call }: OpaCall): Answer | undefined {
  return call.method === 'HEAD' ? { status: 405, headers: {}, body: '' } : undefined
}

/** GET /v1/policies and /v1/policies/{id}: the user's sources, without a syntax tree. */
async function readPolicies(
  { kernel, limits, view: { modules } }: OpaDoor,
  call: OpaCall,
  peer: Peer,
): Promise<Answer> {
  const wishes = readWishes(call.call, peer, limits.seal)
  const id = call.path('/v1/policies').join('/')
  const payload = Payload.fromParsed(id === '' ? {} : { id })
  const submission = submissionOf('opa.read-policies', payload, wishes)
  const decision = await kernel.decide(submission, wishes.options)
  if (!decision.allow) throw opaDenied(decision)
  const list = [...modules].map(([name, raw]) => ({ id: name, raw }))
  if (id === '') return opaJson(call, { result: list })
  const found = list.find((policy) => policy.id === id)
  if (found !== undefined) return opaJson(call, { result: found })
  const message = `storage_not_found_error: policy id ${JSON.stringify(id)}`
  throw new OpaError(404, 'resource_not_found', message, decision.id)
}

function signedPolicies(): never {
  throw new OpaError(
    403,
    'invalid_operation',
    'policies are configuration here: change the bundle or the folder that the server reads',
  )
}

function notServed(): never {
  throw new OpaError(
    501,
    'invalid_operation',
    'ad hoc queries and partial evaluation are not served',
  )
}

/** Nothing of the configuration file. */
function config(kernel: Kernel): object {
  return {
    default_authorization_decision: '/system/authz/allow',
    default_decision: '/system/main',
    labels: { id: kernel.origin },
  }
}

function status(kernel: Kernel): object {
  const { policy, problems, ready } = kernel.readiness()
  const state = ready ? 'OK' : 'NOT_READY'
  return {
    bundles: {
      data: { name: 'data', active_revision: policy?.revision ?? '' },
      policy: { name: 'policy', active_revision: policy?.digest ?? '' },
    },
    labels: { id: kernel.origin },
    plugins: { kernel: { state, ...(ready ? {} : { message: problems.join(', ') }) } },
  }
}

/** GET /health: whatever the query asks for, nothing is healthy that cannot decide. */
function health(kernel: Kernel): Answer {
  const { problems, ready } = kernel.readiness()
  return ready ? jsonAnswer({}) : jsonAnswer({ error: problems.join(', ') }, {}, 500)
}
