/** What every request passes, whichever platform it came through: host, admission, and the way that failures are answered. */
import { NoDecision } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import { type Answer, noDecisionAnswer, Refusal, refusalAnswer } from './answer.ts'
import { ANONYMOUS } from './auth.ts'
import type { Call, Endpoint } from './call.ts'
import type { Cors } from './cors.ts'
import { echoed } from './frame.ts'
import { Gate } from './gate.ts'
import type { Guard } from './guard.ts'
import type { Operations } from './operations.ts'

const SOURCE = 'http'

/** An endpoint, or what answers where there is none. */
export type Answering = Pick<Endpoint, 'admitted' | 'answer' | 'open'> &
  Partial<Pick<Endpoint, 'path'>>

export interface FrontOptions {
  readonly maxConcurrent: number
  /** Undefined: any. */
  readonly hosts?: readonly string[] | undefined
  readonly around?: Operations['around']
  /** Undefined: everybody gets in, as nobody in particular. */
  readonly guard?: Guard | undefined
  /** Undefined: pages of other origins cannot read an answer. */
  readonly cors?: Cors | undefined
}

export class Front {
  readonly gate: Gate
  readonly #kernel: Kernel
  readonly #hosts: ReadonlySet<string> | undefined
  readonly #around: Operations['around']
  readonly #cors: Cors | undefined
  readonly #guard: Guard | undefined
  /** The last Host that was good: almost always the next one too. */
  #known: string | undefined

  constructor(kernel: Kernel, options: FrontOptions) {
    const { around, cors, guard, hosts, maxConcurrent } = options
    this.#around = around
    this.#cors = cors
    this.#guard = guard
    this.#kernel = kernel
    this.gate = new Gate(maxConcurrent)
    this.#hosts = hosts && new Set(hosts)
  }

  /** Never rejects. */
  answer(endpoint: Answering, call: Call): Promise<Answer> {
    const around = this.#around
    if (around === undefined) return this.#answer(endpoint, call)
    const { path: route = 'unknown' } = endpoint
    return around({ route, header: (name) => call.header(name) }, () =>
      this.#answer(endpoint, call),
    )
  }

  async #answer(endpoint: Answering, call: Call): Promise<Answer> {
    let answer: Answer
    try {
      this.#checkHost(call.header('host'))
      answer = endpoint.admitted
        ? await this.#admit(endpoint, call)
        : await this.#answerAs(endpoint, call)
    } catch (error) {
      answer = this.#failed(error)
    }
    if (this.#cors !== undefined) answer = this.#cors.decorate(call, answer)
    const id = echoed(call.header('x-request-id'))
    return id === undefined
      ? answer
      : { ...answer, headers: { ...answer.headers, 'x-request-id': id } }
  }

  /** For what is refused before there is a call. */
  refused(code: string): void {
    this.#kernel.refused(SOURCE, code)
  }

  #answerAs(endpoint: Answering, call: Call): Answer | Promise<Answer> {
    if (this.#guard === undefined) return endpoint.answer(call, ANONYMOUS)
    return this.#guard.identify(endpoint, call).then((peer) => endpoint.answer(call, peer))
  }

  async #admit(endpoint: Answering, call: Call): Promise<Answer> {
    const why = this.gate.enter()
    if (why === 'closed') throw new Refusal(why, 'the server is shutting down; ask another one')
    if (why === 'overloaded') throw new Refusal(why, 'too many requests are under way; retry later')
    try {
      return await this.#answerAs(endpoint, call)
    } finally {
      this.gate.leave()
    }
  }

  /** A page that rebinds its own name to a loopback address sends that name. */
  #checkHost(host: string | undefined): void {
    if (this.#hosts === undefined || host === undefined || host === this.#known) return
    const name = host.replace(/:\d*$/, '').toLowerCase()
    if (!this.#hosts.has(name))
      throw new Refusal('forbidden_host', 'this server is not known by that host name')
    this.#known = host
  }

  #failed(error: unknown): Answer {
    if (error instanceof Refusal) {
      this.refused(error.code)
      return refusalAnswer(error)
    }
    return noDecisionAnswer(
      error instanceof NoDecision ? error : new NoDecision('unavailable', 'the dispatch threw'),
    )
  }
}
