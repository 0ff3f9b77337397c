/** What every request passes, whichever platform it came through: host, admission, and the way that failures are answered. */
import { NoDecision } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Peer } from '../../../core/request.ts'
import { type Answer, noDecisionAnswer, Refusal, refusalAnswer } from './answer.ts'
import type { Call, Endpoint } from './call.ts'
import { echoed } from './frame.ts'
import { Gate } from './gate.ts'
import type { Operations } from './operations.ts'

const SOURCE = 'http'
/** With `auth: none` nobody is identified, whatever the request says. */
const ANONYMOUS: Peer = { kind: 'anonymous', id: 'anonymous' }

/** An endpoint, or what answers where there is none. */
export type Answering = Pick<Endpoint, 'admitted' | 'answer'> & Partial<Pick<Endpoint, 'path'>>

export class Front {
  readonly gate: Gate
  readonly #kernel: Kernel
  readonly #hosts: ReadonlySet<string> | undefined
  readonly #around: Operations['around']
  /** The last Host that was good: almost always the next one too. */
  #known: string | undefined

  constructor(
    kernel: Kernel,
    maxConcurrent: number,
    hosts: readonly string[] | undefined,
    around?: Operations['around'],
  ) {
    this.#around = around
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
        : await endpoint.answer(call, ANONYMOUS)
    } catch (error) {
      answer = this.#failed(error)
    }
    const id = echoed(call.header('x-request-id'))
    return id === undefined
      ? answer
      : { ...answer, headers: { ...answer.headers, 'x-request-id': id } }
  }

  /** For what is refused before there is a call. */
  refused(code: string): void {
    this.#kernel.refused(SOURCE, code)
  }

  async #admit(endpoint: Pick<Endpoint, 'answer'>, call: Call): Promise<Answer> {
    const why = this.gate.enter()
    if (why === 'closed') throw new Refusal(why, 'the server is shutting down; ask another one')
    if (why === 'overloaded') throw new Refusal(why, 'too many requests are under way; retry later')
    try {
      return await endpoint.answer(call, ANONYMOUS)
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
