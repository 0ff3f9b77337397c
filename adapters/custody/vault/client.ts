/** Requests to Vault through `node-vault`: with a deadline each, again where that is safe, and without waiting for a Vault that is down. */
import type NodeVault from 'node-vault'
import { CustodyError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { Breaker } from './breaker.ts'
import type { Deadline } from './deadline.ts'
import { isUnavailable, refuse, unanswered } from './failure.ts'
import { type Asked, Http } from './http.ts'

export interface ClientOptions {
  readonly address: string
  readonly namespace?: string
  /** PEM */
  readonly ca?: string
  readonly clock: Clock
}

export interface Question {
  readonly verb: 'list' | 'read' | 'write'
  /** Below `v1/`. */
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
  /** Doing it twice is the same as doing it once. Without it, a request that got no answer is not sent again. */
  readonly repeatable: boolean
}

export interface Answer {
  readonly status: number
  readonly body: Json
}

const ATTEMPTS = 3
/** What a server says that may answer the next time. */
const PASSING = new Set([412, 429, 500, 502, 503, 504])
/** What counts as a server that is down; 500 is also what Vault says to a question it does not like. */
const DOWN = new Set([429, 502, 503, 504])

export class VaultClient {
  readonly address: string
  readonly #http: Http
  readonly #breaker: Breaker
  readonly #library: NodeVault.client

  private constructor(options: ClientOptions, create: typeof NodeVault) {
    this.address = options.address
    this.#http = new Http(new URL(options.address), options.ca)
    this.#breaker = new Breaker(options.address, options.clock)
    this.#library = create({
      endpoint: options.address,
      // Said, so that nothing comes from the environment; and it prints requests where one asks for its debug output.
      apiVersion: 'v1',
      pathPrefix: '',
      noCustomHTTPVerbs: true,
      debug: () => undefined,
      'request-promise': { defaults: () => (asked: Asked) => this.#http.send(asked) },
    })
    this.#library.token = ''
    // The type does not have it. Empty: no header.
    Object.assign(this.#library, { namespace: options.namespace ?? '', pathPrefix: '' })
  }

  /** @throws CustodyError `misconfigured`: the client library is not installed */
  static async create(options: ClientOptions): Promise<VaultClient> {
    const library = await import('node-vault').catch(() => {
      throw refuse('misconfigured', 'its client is not installed; run: npm install node-vault')
    })
    return new VaultClient(options, library.default)
  }

  /**
   * The answer, whatever its status.
   * @throws CustodyError `unavailable`: there was none, and unless it is repeatable, what was asked for may be done
   */
  async ask(question: Question, token: string | undefined, deadline: Deadline): Promise<Answer> {
    for (let tried = 0; ; tried++) {
      deadline.check()
      const last = !question.repeatable || tried === ATTEMPTS - 1
      try {
        const answer = await this.#attempt(question, token, deadline)
        if (last || !PASSING.has(answer.status)) return answer
      } catch (error) {
        if (last || !isUnavailable(error)) throw error
      }
      await deadline.backOff(tried)
    }
  }

  async #attempt(
    question: Question,
    token: string | undefined,
    deadline: Deadline,
  ): Promise<Answer> {
    this.#breaker.enter()
    try {
      const answer = await this.#send(question, token, deadline)
      if (DOWN.has(answer.status)) this.#breaker.failed()
      else this.#breaker.succeeded()
      return answer
    } catch (error) {
      deadline.check()
      const refused = error instanceof CustodyError ? error : unanswered(this.address, error)
      if (isUnavailable(refused)) this.#breaker.failed()
      throw refused
    }
  }

  async #send(
    { body, path, repeatable, verb }: Question,
    token: string | undefined,
    deadline: Deadline,
  ): Promise<Answer> {
    const signal = deadline.attempt(repeatable ? 1 / ATTEMPTS : 1)
    // The header that a Vault asks for which guards against requests that somebody else's server was made to send.
    const headers = { 'X-Vault-Request': 'true', ...(token && { 'X-Vault-Token': token }) }
    const options = { headers, signal }
    try {
      const said: Json =
        verb === 'write'
          ? await this.#library.write(path, body ?? {}, options)
          : await this.#library[verb](path, options)
      return { status: 200, body: said }
    } catch (error) {
      const answered = answerOf(error)
      if (answered === undefined) throw error
      return answered
    }
  }

  close(): void {
    this.#http.close()
  }
}

/** The library throws what is not 200 or 204. */
function answerOf(error: unknown): Answer | undefined {
  const { response } = error as { response?: { statusCode?: unknown; body?: Json } }
  const status = response?.statusCode
  return typeof status === 'number' ? { status, body: response?.body ?? {} } : undefined
}

/** A member of what Vault says; undefined where there is none. */
export function at(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value
  for (const name of names) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined
    found = (found as { readonly [name: string]: Json })[name]
  }
  return found
}

export const numberAt = (value: Json | undefined, ...names: readonly string[]): number => {
  const found = at(value, ...names)
  if (typeof found !== 'number') throw strange(names)
  return found
}

export const textAt = (value: Json | undefined, ...names: readonly string[]): string => {
  const found = at(value, ...names)
  if (typeof found !== 'string') throw strange(names)
  return found
}

const strange = (names: readonly string[]): CustodyError =>
  refuse('misconfigured', `an answer has no ${names.join('.')}; correct address, mount and kvMount`)
