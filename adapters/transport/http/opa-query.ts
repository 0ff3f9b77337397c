/** OPA's data API for queries. Each is one decision of the kernel's action `opa.query`, batches are one for each input. */
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, JSON_HEADERS } from './answer.ts'
import { decisionHeaders, isObject, type Members, readWishes, submissionOf } from './frame.ts'
import { opaDenied } from './opa-denied.ts'
import { type OpaCall, type OpaDoor, OpaError, opaJson, readJson, refText } from './opa-wire.ts'
import type { Limits } from './options.ts'

const QUERY = 'opa.query'
type Path = readonly string[]
const INPUT_MISSING = {
  code: 'api_usage_warning',
  message: "'input' key missing from the request",
}

interface Question {
  readonly path: Path
  readonly input: Json | undefined
  /** In a batch, whose items each have an idempotency key. */
  readonly item?: number
}

/** `result` is there unless the document is undefined. @throws OpaError when the decision is a denial, NoDecision */
async function ask(
  { kernel, limits }: OpaDoor,
  { call }: OpaCall,
  peer: Peer,
  question: Question,
): Promise<{ readonly decision: Decision; readonly answer: { readonly result?: Json } }> {
  const { input, item, path } = question
  const wishes = readWishes(call, peer, limits.seal)
  const key = wishes.idempotencyKey
  const keyed =
    key === undefined || item === undefined
      ? wishes
      : { ...wishes, idempotencyKey: `${key}/${item}` }
  const payload = Payload.fromParsed(input === undefined ? { path } : { input, path })
  const decision = await kernel.decide(submissionOf(QUERY, payload, keyed), wishes.options)
  if (!decision.allow) throw opaDenied(decision)
  return { decision, answer: (decision.output ?? {}) as { readonly result?: Json } }
}

/** GET and POST /v1/data/{path} */
export async function queryData(door: OpaDoor, call: OpaCall, peer: Peer): Promise<Answer> {
  call.checkSwitches()
  const isPost = call.call.method === 'POST'
  const input = isPost ? await postedInput(call, door.limits) : givenInput(call, door.limits)
  const question = { path: call.path('/v1/data'), input }
  const { answer, decision } = await ask(door, call, peer, question)
  const body = {
    decision_id: decision.id,
    ...(call.value('explain') === 'notes' ? { explanation: [] } : {}),
    ...(call.flag('metrics') || call.flag('instrument') ? { metrics: {} } : {}),
    ...(call.flag('provenance') ? { provenance: provenance(door.kernel) } : {}),
    ...answer,
    ...(isPost && input === undefined ? { warning: INPUT_MISSING } : {}),
  }
  return opaJson(call, body, decisionHeaders(decision))
}

/** What is active: a decision names its policy exactly, in its receipt. */
function provenance(kernel: Kernel): object {
  const { digest = '', revision = '' } = kernel.readiness().policy ?? {}
  return { version: 'assay', bundles: { data: { revision }, policy: { revision: digest } } }
}

/** A null counts as no input. */
async function postedInput(call: OpaCall, { maxBodyBytes }: Limits): Promise<Json | undefined> {
  const body = (await call.json(maxBodyBytes)) ?? null
  if (body === null) return undefined
  return objectOf(body).input ?? undefined
}

function givenInput(call: OpaCall, { maxBodyBytes }: Limits): Json | undefined {
  const text = call.value('input')
  return text === undefined ? undefined : readJson(text, maxBodyBytes)
}

function objectOf(value: Json): Members {
  if (isObject(value)) return value
  throw new OpaError(400, 'invalid_parameter', 'body contains malformed input document: no object')
}

/** POST /v0/data/{path} and POST /: the body is the input, the answer is the value. */
export async function queryValue(
  door: OpaDoor,
  call: OpaCall,
  peer: Peer,
  path: Path,
): Promise<Answer> {
  const input = await call.json(door.limits.maxBodyBytes)
  const { answer, decision } = await ask(door, call, peer, { path, input })
  if (answer.result !== undefined) {
    const text = JSON.stringify(answer.result, undefined, call.flag('pretty') ? 2 : undefined)
    const headers = { ...JSON_HEADERS, ...decisionHeaders(decision) }
    return { status: 200, headers, body: text }
  }
  const isRule = door.view.served.rules.some((rule) => rule.every((name, i) => path[i] === name))
  const what = isRule ? 'document undefined' : 'document missing'
  throw new OpaError(404, 'undefined_document', `${what}: ${refText(path)}`, decision.id)
}

/** POST /v1/batch/data/{path}: `{"inputs": {name: input}, "common_input"?}`. */
export async function queryBatch(door: OpaDoor, call: OpaCall, peer: Peer): Promise<Answer> {
  const { evaluationsMax, maxBodyBytes } = door.limits
  call.checkSwitches()
  const { common_input: common, inputs = null } = objectOf((await call.json(maxBodyBytes)) ?? null)
  if (!isObject(inputs)) throw new OpaError(400, 'invalid_parameter', 'inputs is not an object')
  const entries = Object.entries(inputs)
  if (entries.length > evaluationsMax)
    throw new OpaError(400, 'invalid_parameter', `over ${evaluationsMax} inputs`)
  const path = call.path('/v1/batch/data')
  const responses = await Promise.all(
    entries.map(async ([name, input], item) => {
      const one = { path, input: withCommon(input, common), item }
      return [name, await answerOne(door, call, peer, one)] as const
    }),
  )
  return batchAnswer(call, new Map(responses))
}

/** What an input says itself wins, member by member. */
function withCommon(input: Json, common: Json | undefined): Json {
  if (common === undefined) return input
  return isObject(common) && isObject(input) ? { ...common, ...input } : input
}

type One =
  | { readonly ok: true; readonly body: object }
  | { readonly ok: false; readonly body: object }

async function answerOne(
  door: OpaDoor,
  call: OpaCall,
  peer: Peer,
  question: Question,
): Promise<One> {
  try {
    const { answer, decision } = await ask(door, call, peer, question)
    return { ok: true, body: { decision_id: decision.id, ...answer } }
  } catch (error) {
    if (error instanceof OpaError) return { ok: false, body: error.body }
    throw error
  }
}

/** 200: all answered; 500: none; 207: some, each with its status. */
function batchAnswer(call: OpaCall, all: ReadonlyMap<string, One>): Answer {
  const ones = [...all.values()]
  const failed = ones.filter(({ ok }) => !ok).length
  const status = failed === 0 ? 200 : failed === ones.length ? 500 : 207
  const responses = [...all].map(([name, { body, ok }]) => [
    name,
    status === 207 ? { ...body, http_status_code: ok ? '200' : '500' } : body,
  ])
  return { ...opaJson(call, { responses: Object.fromEntries(responses) }), status }
}
