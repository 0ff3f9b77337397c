/**
 * Lambda authorizers of API Gateway. Whatever goes wrong is a denial in the gateway's own words, and never a failure of the function, which a
 * gateway may treat as it likes.
 *
 * The trap of their cache: a gateway keeps the policy that answered one path, and uses it for every other path of the same caller. So the policy
 * is either about all routes, or about one request and kept by nobody; which of the two the gateway does is configuration, here and there.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
import type { DecideOptions, Decision, Kernel, Seal } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { arnOf, type MethodArn, readMethodArn } from './arn.ts'
import { AUTHORIZER, type AuthorizerOptions, type Question } from './authorizer-options.ts'
import { EVALUATE } from './direct.ts'
import type { Kind, Shape } from './events.ts'
import { credentialsOf } from './identity.ts'
import { type AuthorizerAnswer, iamAnswer, MAX_POLICY_BYTES, type OutputContext } from './policy.ts'
import { Refusal, told } from './refusal.ts'

export type AuthorizerKind = Extract<
  Kind,
  'http-authorizer' | 'request-authorizer' | 'token-authorizer'
>

export interface AuthorizerCall {
  readonly kernel: Pick<Kernel, 'decide'>
  readonly options: AuthorizerOptions
  readonly kind: AuthorizerKind
  readonly event: Shape
  readonly seal: Seal | undefined
  /** Undefined: the gateway gave none. */
  readonly idempotencyKey: string | undefined
  readonly signal: AbortSignal
  /** Hears why there was no decision. */
  readonly refused: (code: string) => void
}

/** Never rejects but when `last` does, and then nobody is let in. */
export async function authorize(
  call: AuthorizerCall,
  last: Promise<never>,
): Promise<AuthorizerAnswer> {
  try {
    return await Promise.race([answer(call), last])
  } catch (error) {
    const { code, decisionId } = told(error)
    call.refused(code)
    return denial(call, code, decisionId)
  }
}

async function answer(call: AuthorizerCall): Promise<AuthorizerAnswer> {
  const { cache = 'off' } = call.options
  checkCache(call)
  const arn = readMethodArn(arnText(call))
  const caller = await identified(call)
  if (cache === 'caller') return answerForAll(call, arn, caller)
  const asked = questionOf(call, arn)
  const decision = await decide(call, caller, asked, call.idempotencyKey)
  return answerFor(call, arn, decision)
}

const arnText = ({ event, kind }: AuthorizerCall): unknown =>
  kind === 'http-authorizer' ? event.routeArn : event.methodArn

const isSimple = ({ kind, options }: AuthorizerCall): boolean =>
  kind === 'http-authorizer' && options.responses === 'simple'

/** @throws Refusal `cache_not_possible` */
function checkCache(call: AuthorizerCall): void {
  const { event, kind, options } = call
  if (options.cache === 'caller' && isSimple(call))
    throw impossible('a simple answer is kept for every route; set responses: iam, or cache: route')
  if (options.cache !== 'route') return
  const { identitySource, routeKey } = event
  const isKey = Array.isArray(identitySource) && identitySource.includes(routeKey)
  if (kind !== 'http-authorizer' || !isKey)
    throw impossible(
      'the gateway does not keep answers by route; add $context.routeKey to its identity sources',
    )
  const { method, path } = readMethodArn(arnText(call))
  // `$default`, `ANY /notes` and `GET /{proxy+}` are one key of many requests.
  if (routeKey !== `${method} ${path}`)
    throw impossible('the route of the gateway is not this method and this path alone')
}

async function identified({ event, options }: AuthorizerCall): Promise<Peer> {
  try {
    return await options.identify(credentialsOf(event))
  } catch {
    throw new Refusal('unauthenticated', 'nobody is identified by these credentials')
  }
}

/** @throws Refusal `unknown_route`, `ambiguous_path` */
function questionOf({ options }: AuthorizerCall, { method, path }: MethodArn): Question {
  let question: Question | undefined
  try {
    question = options.router(method, path)
  } catch {
    throw new Refusal('ambiguous_path', 'the path has two readings')
  }
  if (question === undefined)
    throw new Refusal('unknown_route', 'no route of the configuration fits')
  return question
}

function decide(
  { kernel, options, seal, signal }: AuthorizerCall,
  { id, kind }: Peer,
  { action, resource }: Question,
  idempotencyKey: string | undefined,
): Promise<Decision> {
  const said: DecideOptions = { signal, ...(seal === undefined ? {} : { seal }) }
  const payload = Payload.fromParsed({
    subject: { type: kind, id },
    action: { ...action },
    resource: { ...resource },
  })
  const { obligations, peer = AUTHORIZER } = options
  return kernel.decide(
    {
      action: EVALUATE,
      payload,
      peer,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(obligations === undefined ? {} : { obligations }),
    },
    said,
  )
}

function answerFor(
  call: AuthorizerCall,
  { method, path, stage }: MethodArn,
  decision: Decision,
): AuthorizerAnswer {
  const context = contextOf([decision])
  if (isSimple(call)) return { isAuthorized: decision.allow, context }
  const resource = [arnOf(stage, method, path)]
  return decision.allow
    ? iamAnswer(decision.id, resource, [], context)
    : iamAnswer(decision.id, [], resource, context)
}

/** One decision a route, all of them in the log: the policy is right for whatever this caller asks until it is forgotten. */
async function answerForAll(
  call: AuthorizerCall,
  { stage }: MethodArn,
  caller: Peer,
): Promise<AuthorizerAnswer> {
  const { idempotencyKey, options } = call
  const places = options.routes.flatMap(({ methods = [], path }) =>
    methods.map((method) => ({ method, path })),
  )
  const decided = await Promise.all(
    places.map(async (place, i) => {
      const key = idempotencyKey && `${idempotencyKey}/${i}`
      const asked = questionOf(call, { ...place, stage })
      const decision = await decide(call, caller, asked, key)
      return { decision, arn: arnOf(stage, place.method, place.path) }
    }),
  )
  const decisions = decided.map(({ decision }) => decision)
  const arns = (allow: boolean): string[] =>
    decided.filter(({ decision }) => decision.allow === allow).map(({ arn }) => arn)
  const made = iamAnswer(decisions[0]!.id, arns(true), arns(false), contextOf(decisions))
  if (JSON.stringify(made.policyDocument).length > MAX_POLICY_BYTES)
    throw new Refusal(
      'answer_too_large',
      'the policy for all routes has over 8,000 bytes; set cache: off',
    )
  return made
}

/** Ids and obligations, and nothing of who asked. A policy for all routes has no obligations: it was decided for a caller that carries out none. */
function contextOf(decisions: readonly Decision[]): OutputContext {
  const obligations = decisions.flatMap((one) => one.obligations)
  return {
    decisionId: decisions[0]!.id,
    ...(obligations.length > 0 ? { obligations: JSON.stringify(obligations) } : {}),
  }
}

/** Where it is not even known what was asked for, everything is denied. */
function denial(call: AuthorizerCall, code: string, decisionId = ''): AuthorizerAnswer {
  const context = { decisionId, error: code }
  if (isSimple(call)) return { isAuthorized: false, context }
  return iamAnswer(decisionId || 'none', [], [deniedArn(call)], context)
}

function deniedArn(call: AuthorizerCall): string {
  try {
    const { method, path, stage } = readMethodArn(arnText(call))
    return arnOf(stage, method, path)
  } catch {
    return '*'
  }
}

function impossible(what: string): Refusal {
  return new Refusal('cache_not_possible', what)
}
