/**
 * What every middleware does, whichever framework it is for: map the request to a question, ask, carry out what the answer obliges to, and
 * say what to send otherwise. It fails closed: whatever throws on the way sends the request back.
 */
import { NoDecision } from '../../core/error.ts'
import type { Answered, Decider, Evaluation, Obligation } from './decider.ts'

/** The question that a request comes to. Nothing: the request is forbidden without asking. */
export type Mapper<Request> = (
  request: Request,
) => Evaluation | Promise<Evaluation | undefined> | undefined

export interface AuthorizeOptions<Request> {
  /**
   * By type, what this service does about an obligation, in the order of the decision and before the request goes on. One that throws, and
   * a type that is not here, forbids the request.
   */
  readonly obligations?: {
    readonly [type: string]: (obligation: Obligation, request: Request) => Promise<void> | void
  }
  /** What a mapper, an obligation or the decision itself threw: for your log. It never reaches the client. */
  readonly onError?: (error: unknown, request: Request) => void
  /**
   * **Lets every request through**, and is told what would have been sent instead: to try a policy before it counts. Mappers and
   * obligations run all the same.
   */
  readonly reportOnly?: (refused: Refused, request: Request) => void
}

/** What is sent instead of the answer to the request. */
export interface Refused {
  /** 403 denied, 500 the mapper threw, 503 no decision. */
  readonly status: 403 | 500 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: RefusedBody
}
export type RefusedBody =
  | {
      readonly error: 'forbidden'
      /** Codes: those of the decision, or `unmapped`, `obligation_unsupported`, `obligation_failed`. */
      readonly reasons: readonly string[]
      readonly decision_id?: string
    }
  | { readonly error: 'internal'; readonly code: 'mapper_failed' }
  | { readonly error: 'unavailable'; readonly code: string; readonly decision_id?: string }

export interface Outcome {
  /** Undefined: the request goes on. */
  readonly refused?: Refused
  /** For the answer, whoever gives it. */
  readonly headers: Readonly<Record<string, string>>
}

/** Never rejects. */
export function enforcer<Request>(
  decider: Decider,
  mapper: Mapper<Request>,
  options: AuthorizeOptions<Request> = {},
): (request: Request) => Promise<Outcome> {
  const enforcement = new Enforcement(decider, mapper, options)
  return async (request) => {
    const outcome = await enforcement.outcome(request)
    const { reportOnly } = options
    if (reportOnly === undefined || outcome.refused === undefined) return outcome
    told(() => reportOnly(outcome.refused as Refused, request))
    return { headers: {} }
  }
}

class Enforcement<Request> {
  readonly #decider: Decider
  readonly #mapper: Mapper<Request>
  readonly #obligations: NonNullable<AuthorizeOptions<Request>['obligations']>
  readonly #onError: AuthorizeOptions<Request>['onError']

  constructor(decider: Decider, mapper: Mapper<Request>, options: AuthorizeOptions<Request>) {
    this.#decider = decider
    this.#mapper = mapper
    this.#obligations = options.obligations ?? {}
    this.#onError = options.onError
  }

  async outcome(request: Request): Promise<Outcome> {
    let evaluation: Evaluation | undefined
    try {
      evaluation = await this.#mapper(request)
    } catch (error) {
      this.#failed(error, request)
      return refused(500, { error: 'internal', code: 'mapper_failed' })
    }
    if (!evaluation) return forbidden(['unmapped'])
    try {
      const obligations = Object.keys(this.#obligations)
      const answered = await this.#decider.decide(evaluation, { obligations })
      // Within the try: an answer without its members is no decision either.
      return await this.#carriedOut(answered, request)
    } catch (error) {
      this.#failed(error, request)
      return unavailable(error)
    }
  }

  async #carriedOut(
    { allow, id, obligations, reasons }: Answered,
    request: Request,
  ): Promise<Outcome> {
    // Not what is merely truthy: a decider may be anybody's.
    if (allow !== true) return forbidden([...new Set(reasons.map(({ code }) => code))], id)
    const unsupported = obligations.some(({ type }) => !Object.hasOwn(this.#obligations, type))
    if (unsupported) return forbidden(['obligation_unsupported'], id)
    try {
      for (const obligation of obligations)
        await this.#obligations[obligation.type]?.(obligation, request)
    } catch (error) {
      this.#failed(error, request)
      return forbidden(['obligation_failed'], id)
    }
    return { headers: decisionHeader(id) }
  }

  #failed(error: unknown, request: Request): void {
    told(() => this.#onError?.(error, request))
  }
}

/** A reporter that throws changes nothing about the request. */
function told(report: () => void): void {
  try {
    report()
  } catch {
    // There is nobody else to tell.
  }
}

function forbidden(reasons: readonly string[], id?: string): Outcome {
  const headers = { ...decisionHeader(id), 'assay-reason': reasons.join(',') }
  return refused(403, { error: 'forbidden', reasons, ...decisionMember(id) }, headers)
}

function unavailable(error: unknown): Outcome {
  const {
    code,
    decisionId,
    retryAfterMs = 0,
  } = error instanceof NoDecision ? error : new NoDecision('unavailable', 'the decision failed')
  const retryAfter = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
  const body = { error: 'unavailable', code, ...decisionMember(decisionId) } as const
  return refused(503, body, { ...decisionHeader(decisionId), 'retry-after': retryAfter })
}

function refused(
  status: Refused['status'],
  body: RefusedBody,
  extra: Outcome['headers'] = {},
): Outcome {
  const headers = { 'cache-control': 'no-store', ...extra }
  return { refused: { status, headers, body }, headers }
}

function decisionHeader(id: string | undefined): Outcome['headers'] {
  return id === undefined ? {} : { 'x-decision-id': id }
}

function decisionMember(id: string | undefined): { readonly decision_id?: string } {
  return id === undefined ? {} : { decision_id: id }
}
