/** OPA's data API for changes: each is a decision, and when it is answered the new data is in force. */
import type { Json } from '../../../core/json.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import type { Answer } from './answer.ts'
import { decisionHeaders, isObject, readWishes, submissionOf } from './frame.ts'
import { opaDenied } from './opa-denied.ts'
import { names, type OpaCall, type OpaDoor, OpaError, opaJson } from './opa-wire.ts'

const PREFIX = '/v1/data'

/** PUT /v1/data/{path}; with `If-None-Match: *` only where nothing is yet. */
export async function putData(door: OpaDoor, call: OpaCall, peer: Peer): Promise<Answer> {
  const value = await call.json(door.limits.maxBodyBytes)
  if (value === undefined) throw new OpaError(400, 'invalid_parameter', 'the body is empty')
  const ifAbsent = call.call.header('if-none-match') === '*' ? { if_absent: true } : {}
  const payload = { path: call.path(PREFIX), value, ...ifAbsent }
  return await decideChange('opa.put-data', payload, door, call, peer)
}

/** PATCH /v1/data/{path}: operations of RFC 6902, as far as OPA has them (add, remove, replace). */
export async function patchData(door: OpaDoor, call: OpaCall, peer: Peer): Promise<Answer> {
  const listed = (await call.json(door.limits.maxBodyBytes)) ?? null
  if (!Array.isArray(listed))
    throw new OpaError(400, 'invalid_parameter', 'the body is not an array of operations')
  const root = call.path(PREFIX)
  const operations = listed.map((operation) => readOperation(operation as Json, root))
  return await decideChange('opa.patch-data', { operations }, door, call, peer)
}

function readOperation(operation: Json, root: readonly string[]): Json {
  if (!isObject(operation) || typeof operation.path !== 'string')
    throw new OpaError(400, 'invalid_parameter', 'an operation has op, path and value')
  const { op = null, path, value = null } = operation
  if (op !== 'add' && op !== 'remove' && op !== 'replace')
    throw new OpaError(400, 'invalid_parameter', 'bad patch operation: use add, remove or replace')
  const below = names(path).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return { op, path: [...root, ...below], value }
}

/** DELETE /v1/data/{path} */
export function deleteData(door: OpaDoor, call: OpaCall, peer: Peer): Promise<Answer> {
  const payload = { path: call.path(PREFIX) }
  return decideChange('opa.delete-data', payload, door, call, peer)
}

async function decideChange(
  action: string,
  payload: Json,
  { changes, kernel, limits, view }: OpaDoor,
  call: OpaCall,
  peer: Peer,
): Promise<Answer> {
  const wishes = readWishes(call.call, peer, limits.seal)
  const submission = submissionOf(action, Payload.fromParsed(payload), wishes)
  const decision = await changes.take(() => kernel.decide(submission, wishes.options))
  if (!decision.allow) throw opaDenied(decision)
  await view.refresh()
  const headers = decisionHeaders(decision)
  if (call.flag('metrics')) return opaJson(call, { metrics: {} }, headers)
  return { status: 204, headers: { ...headers, 'cache-control': 'no-store' }, body: '' }
}
