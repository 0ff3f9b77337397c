/**
 * The function that Lambda calls. It tells the events apart by their shape and serves those that it was configured for; anything else is refused in
 * the form in which its sender understands a refusal. One kernel serves every invocation of an execution environment.
 */
import { TransportError } from '../../../core/error.ts'
import type { Kernel, Seal } from '../../../core/kernel.ts'
import type { Closable } from '../../../core/ports/transport.ts'
import { type AuthorizerKind, authorize } from './authorizer.ts'
import { type AuthorizerOptions, checkAuthorizer } from './authorizer-options.ts'
import { type Deadline, deadlineOf, type LambdaContext } from './context.ts'
import { type DirectAnswer, type DirectOptions, direct } from './direct.ts'
import { isShape, type Kind, kindOf, type Shape } from './events.ts'
import type { AuthorizerAnswer } from './policy.ts'
import {
  type ProxyAnswer,
  type ProxyKind,
  type ProxyOptions,
  plainAnswer,
  proxied,
} from './proxy.ts'
import { isRetried, Refusal, type Told, told } from './refusal.ts'
import { Turns } from './turns.ts'

/** What is asked of a kernel here. */
export type Asked = Pick<Kernel, 'decide' | 'refused'>

export interface LambdaOptions {
  /** Serves authorizers of API Gateway. Default: they are denied. */
  readonly authorizer?: AuthorizerOptions
  /** Serves proxy events, function URLs and load balancers. Default: 404. */
  readonly proxy?: ProxyOptions
  /** Serves invocations without a gateway. Default: they are refused. */
  readonly direct?: DirectOptions
  /** Gives committed leaves their place in the log. Default: the kernel does that by itself. */
  readonly integrate?: () => Promise<Integrated>
  /** Whether it is due: asked at the end of an invocation. Default: only scheduled events integrate. */
  readonly isDue?: () => boolean
  /**
   * Where an event brings no idempotency key: that of Lambda's own request id, so that what Lambda sends twice is decided once (default), or none,
   * which saves a write.
   */
  readonly idempotency?: 'explicit' | 'request-id'
  /** Of a directly invoked payload's JSON text. Default 65,536. */
  readonly maxPayloadBytes?: number
  /** What a caller waits for who does not say. Default: the kernel's. */
  readonly seal?: Seal
}

/** An integration by schedule. */
export interface Integrated {
  /** Leaves that still wait for their place. */
  readonly pending: number
  /** Leaves under the newest signed head, decimal. */
  readonly sealed: string
}
export type ScheduledAnswer = Integrated | { readonly pending: 0 }
export type LambdaAnswer = AuthorizerAnswer | DirectAnswer | ProxyAnswer | ScheduledAnswer

export interface LambdaHandler extends Closable {
  /** Rejects with {@link InvocationError} only: for scheduled events, and for direct ones that say so. */
  readonly handler: (event: unknown, context?: LambdaContext) => Promise<LambdaAnswer>
}

/** Its name is the code: Lambda shows it as `errorType`. Without a stack. */
export class InvocationError extends Error {
  readonly told: Told
  constructor(why: Told) {
    super(why.message)
    this.name = why.code
    this.told = why
    this.stack = ''
  }
}

const SOURCE = 'lambda'
const AUTHORIZERS: ReadonlySet<Kind | undefined> = new Set([
  'http-authorizer',
  'request-authorizer',
  'token-authorizer',
])
const PROXIES: ReadonlySet<Kind | undefined> = new Set(['alb', 'proxy-1', 'proxy-2'])
const isAuthorizer = (kind: Kind | undefined): kind is AuthorizerKind => AUTHORIZERS.has(kind)
const isProxy = (kind: Kind | undefined): kind is ProxyKind => PROXIES.has(kind)

/** @throws TransportError `invalid_options` */
export function createHandler(kernel: Asked, options: LambdaOptions): LambdaHandler {
  const { authorizer, maxPayloadBytes = 65_536 } = options
  if (authorizer !== undefined) checkAuthorizer(authorizer)
  if (!Number.isSafeInteger(maxPayloadBytes) || maxPayloadBytes < 1)
    throw new TransportError('transport/lambda', 'invalid_options', 'maxPayloadBytes is from 1')
  const serving = new Serving(kernel, { ...options, maxPayloadBytes })
  return {
    handler: (event, context = {}) => serving.answer(event, context),
    close: () => serving.close(),
  }
}

interface Invocation {
  readonly event: Shape
  readonly context: LambdaContext
  readonly deadline: Deadline
}

class Serving {
  readonly #kernel: Asked
  readonly #options: LambdaOptions & { readonly maxPayloadBytes: number }
  readonly #turns = new Turns()

  constructor(kernel: Asked, options: LambdaOptions & { readonly maxPayloadBytes: number }) {
    this.#kernel = kernel
    this.#options = options
  }

  close(): Promise<void> {
    return this.#turns.close()
  }

  async answer(event: unknown, context: LambdaContext): Promise<LambdaAnswer> {
    const deadline = deadlineOf(context)
    try {
      return await this.#turns.run(() => this.#served(event, context, deadline))
    } finally {
      deadline.end()
    }
  }

  async #served(event: unknown, context: LambdaContext, deadline: Deadline): Promise<LambdaAnswer> {
    const kind = kindOf(event)
    const invocation: Invocation = { event: isShape(event) ? event : {}, context, deadline }
    if (kind === 'scheduled') return this.#scheduled(deadline)
    const answer = isAuthorizer(kind)
      ? await this.#authorizer(kind, invocation)
      : isProxy(kind)
        ? await this.#proxy(kind, invocation)
        : await this.#direct(kind, invocation)
    await this.#integrate(deadline)
    return answer
  }

  #authorizer(
    kind: AuthorizerKind,
    { context, deadline, event }: Invocation,
  ): Promise<AuthorizerAnswer> {
    const { authorizer, seal } = this.#options
    const closed = this.#turns.closed
    const call = {
      kernel: this.#kernel,
      options: authorizer ?? NO_AUTHORIZER,
      kind,
      event,
      seal,
      idempotencyKey: this.#keyOf(context),
      signal: deadline.signal,
      refused: (code: string) => this.#kernel.refused(SOURCE, code),
    }
    if (authorizer === undefined) return authorize(call, rejected(notServed('authorizer')))
    return authorize(call, closed ? rejected(shuttingDown()) : deadline.last)
  }

  async #proxy(kind: ProxyKind, { context, deadline, event }: Invocation): Promise<ProxyAnswer> {
    const { proxy } = this.#options
    const { signal } = deadline
    const idempotencyKey = this.#keyOf(context)
    try {
      if (proxy === undefined) throw notServed('proxy')
      if (this.#turns.closed) throw shuttingDown()
      return await Promise.race([
        proxied(proxy, { event, idempotencyKey, kind, signal }),
        deadline.last,
      ])
    } catch (error) {
      const { code, message } = this.#told(error)
      const status = STATUSES[code] ?? 503
      return plainAnswer(kind, event, status, `${code}: ${message}`)
    }
  }

  async #direct(
    kind: 'direct' | undefined,
    { context, deadline, event }: Invocation,
  ): Promise<DirectAnswer> {
    const { direct: options, maxPayloadBytes, seal } = this.#options
    try {
      if (kind === undefined)
        throw new Refusal(
          'unknown_event',
          'send { action, payload }, { evaluation }, or an event of a gateway',
        )
      if (options === undefined) throw notServed('direct')
      if (this.#turns.closed) throw shuttingDown()
      const { signal } = deadline
      const idempotencyKey = this.#keyOf(context)
      const kernel = this.#kernel
      return await Promise.race([
        direct(event, { kernel, options, maxPayloadBytes, seal, idempotencyKey, signal }),
        deadline.last,
      ])
    } catch (error) {
      const why = this.#told(error)
      if (options?.throws === true && isRetried(why)) throw new InvocationError(why)
      return { allow: false, error: why }
    }
  }

  async #scheduled({ last }: Deadline): Promise<ScheduledAnswer> {
    try {
      if (this.#turns.closed) throw shuttingDown()
      return (await Promise.race([this.#options.integrate?.(), last])) ?? { pending: 0 }
    } catch (error) {
      throw new InvocationError(this.#told(error))
    }
  }

  /** What was decided stands: a failure shows in the readiness, and in the next scheduled event. */
  async #integrate({ last, remainingMs }: Deadline): Promise<void> {
    const { integrate, isDue } = this.#options
    if (integrate === undefined || isDue?.() !== true || remainingMs() < ENOUGH_MS) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const longest = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_MS)
    })
    await Promise.race([integrate(), longest, last]).catch(() => undefined)
    clearTimeout(timer)
  }

  #told(error: unknown): Told {
    const why = told(error)
    if (error instanceof Refusal) this.#kernel.refused(SOURCE, why.code)
    return why
  }

  /**
   * Lambda's own id, and none of the event: API Gateway takes its request id from a header of the client, who could have an earlier answer again
   * with it, for as long as keys are kept.
   */
  #keyOf({ awsRequestId = '' }: LambdaContext): string | undefined {
    const isOff = this.#options.idempotency === 'explicit' || awsRequestId === ''
    return isOff ? undefined : `lambda:${awsRequestId}`.slice(0, 120)
  }
}

/** An integration that cannot be ended in time is not begun. */
const ENOUGH_MS = 1000
/** The caller waits for it, also where KMS is slow or away: what is begun goes on with the next invocation. */
const LONGEST_MS = 1500

const STATUSES: Readonly<Record<string, number>> = { invalid_event: 400, not_served: 404 }

const NO_AUTHORIZER: AuthorizerOptions = {
  routes: [],
  router: () => undefined,
  identify: () => {
    throw notServed('authorizer')
  },
}

const notServed = (what: string): Refusal =>
  new Refusal('not_served', `this function is not configured for such events: ${what}`)
const shuttingDown = (): Refusal =>
  new Refusal('closed', 'this instance is shutting down; ask again')

function rejected(error: Refusal): Promise<never> {
  const promise = Promise.reject<never>(error)
  promise.catch(() => undefined)
  return promise
}
