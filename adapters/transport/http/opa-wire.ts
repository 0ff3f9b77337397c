/**
 * OPA's way to read a request and to answer one: paths in the URL, switches in the query, errors as objects with OPA's codes.
 *
 * @see https://www.openpolicyagent.org/docs/rest-api
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { JsonError, NoDecision } from '../../../core/error.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Peer } from '../../../core/request.ts'
import { type Answer, JSON_HEADERS, jsonAnswer, noDecisionAnswer, Refusal } from './answer.ts'
import type { Call, Endpoint } from './call.ts'
import type { Limits } from './options.ts'

/** What the endpoints need to know of the policies that are served. */
export interface OpaView {
  /** The user's sources, by path. */
  readonly modules: ReadonlyMap<string, string>
  readonly served: { readonly rules: readonly (readonly string[])[] }
  /** Resolves when every document that was pushed before the call is in force. */
  refresh(): Promise<void>
}

/** What every endpoint works with. */
export interface OpaDoor {
  readonly kernel: Kernel
  readonly limits: Limits
  readonly view: OpaView
  readonly changes: Turns
}

/** One after the other. Changes of one document conflict, and of many at once some would be denied as contended. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

export type OpaCode =
  | 'internal_error'
  | 'invalid_operation'
  | 'invalid_parameter'
  | 'resource_conflict'
  | 'resource_not_found'
  | 'unauthorized'
  | 'undefined_document'

/** Thrown while a request is read or decided; it becomes its answer. */
export class OpaError extends Error {
  readonly status: number
  readonly code: OpaCode
  readonly decisionId: string | undefined
  constructor(status: number, code: OpaCode, message: string, decisionId?: string) {
    super(message)
    this.name = 'OpaError'
    this.status = status
    this.code = code
    this.decisionId = decisionId
  }

  get body(): { readonly code: string; readonly message: string; readonly decision_id?: string } {
    const { code, decisionId, message } = this
    return { code, message, ...(decisionId === undefined ? {} : { decision_id: decisionId }) }
  }
}

/** Answers in OPA's form also where nothing could be decided. */
export function opaAnswered(
  kernel: Kernel,
  answer: (call: OpaCall, peer: Peer) => Answer | Promise<Answer>,
): Endpoint['answer'] {
  return async (call, peer) => {
    try {
      return await answer(new OpaCall(call), peer)
    } catch (error) {
      return failed(kernel, error)
    }
  }
}

function failed(kernel: Kernel, error: unknown): Answer {
  if (error instanceof OpaError) {
    if (error.decisionId === undefined) kernel.refused('http', error.code)
    const headers: Record<string, string> =
      error.decisionId === undefined ? {} : { 'x-decision-id': error.decisionId }
    return jsonAnswer(error.body, headers, error.status)
  }
  if (error instanceof Refusal) {
    kernel.refused('http', error.code)
    const { code, message } = new OpaError(error.status, 'invalid_parameter', error.message)
    return jsonAnswer({ code, message }, {}, error.status)
  }
  if (!(error instanceof NoDecision)) throw error
  const { body, headers, status } = noDecisionAnswer(error)
  return jsonAnswer(
    { code: 'internal_error', message: body },
    { ...headers, ...JSON_HEADERS },
    status,
  )
}

const unzip = promisify(gunzip)

/** One request as OPA would read it. */
export class OpaCall {
  readonly call: Call
  readonly #query: URLSearchParams

  constructor(call: Call) {
    this.call = call
    this.#query = new URLSearchParams(call.target.split('?').slice(1).join('?'))
  }

  /** The names behind `prefix`, each decoded by itself: an escaped slash belongs to its name. */
  path(prefix: string): readonly string[] {
    const [whole = ''] = this.call.target.split('?')
    // By names and not by characters: the router also takes `/v1/d%61ta` for `/v1/data`.
    return names(whole).slice(names(prefix).length)
  }

  /** Present without a value counts as true. */
  flag(name: string): boolean {
    const values = this.#query.getAll(name)
    return values.some((value) => value === '' || value.toLowerCase() === 'true')
  }

  value(name: string): string | undefined {
    return this.#query.getAll(name).at(-1)
  }

  /** The body as JSON; undefined when it is empty. @throws OpaError */
  async json(maxBytes: number): Promise<Json | undefined> {
    const bytes = await this.#bytes(maxBytes)
    return bytes.length === 0 ? undefined : readJson(bytes, maxBytes)
  }

  async #bytes(maxBytes: number): Promise<Uint8Array> {
    const { call } = this
    if (/yaml/i.test(call.header('content-type') ?? ''))
      throw new OpaError(400, 'invalid_parameter', 'YAML is not read here; send JSON')
    const bytes = await call.body()
    if (call.header('content-encoding') !== 'gzip') return bytes
    try {
      return await unzip(bytes, { maxOutputLength: maxBytes })
    } catch {
      throw new OpaError(400, 'invalid_parameter', 'the compressed body is damaged or too large')
    }
  }

  /** @throws OpaError for what would need another engine to be answered */
  checkSwitches(): void {
    const explain = this.value('explain')
    if (explain !== undefined && !['', 'notes', 'off'].includes(explain))
      throw new OpaError(400, 'invalid_parameter', `explain=${explain.slice(0, 16)} is not served`)
    if (this.flag('strict-builtin-errors'))
      throw new OpaError(400, 'invalid_parameter', 'strict-builtin-errors is not served')
  }
}

export function names(path: string): readonly string[] {
  return path
    .split('/')
    .filter((name) => name !== '')
    .map(decoded)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** @throws OpaError */
export function readJson(source: string | Uint8Array, maxBytes: number): Json {
  try {
    return parseJson(source, { maxBytes })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    const message = `body contains malformed input document: ${error.code}`
    throw new OpaError(error.code === 'too_large' ? 413 : 400, 'invalid_parameter', message)
  }
}

/** `data.app["x-y"][0]`, as OPA writes a reference. */
export function refText(path: readonly string[]): string {
  const parts = path.map((name) =>
    /^[A-Za-z_]\w*$/.test(name)
      ? `.${name}`
      : `[${/^(?:0|-?[1-9]\d*)$/.test(name) ? name : JSON.stringify(name)}]`,
  )
  return `data${parts.join('')}`
}

export function opaJson(call: OpaCall, value: object, headers: Answer['headers'] = {}): Answer {
  const body = JSON.stringify(value, undefined, call.flag('pretty') ? 2 : undefined)
  return { status: 200, headers: { ...JSON_HEADERS, ...headers }, body }
}
