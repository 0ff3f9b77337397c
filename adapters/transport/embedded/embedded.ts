/**
 * Assay within a program: calls instead of requests. The program is the peer, under the name that it gives itself when it opens this;
 * nothing in a call can change that.
 */
import { NoDecision } from '../../../core/error.ts'
import type {
  DecideOptions,
  Decision,
  DryRun,
  Kernel,
  Seal,
  Submission,
} from '../../../core/kernel.ts'
import type { Receipt } from '../../../core/log/receipt.ts'
import type { SearchKind } from '../../../core/plugin.ts'
import type { Closable } from '../../../core/ports/transport.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { snapshot, snapshotMembers } from './plain.ts'
import {
  type Found,
  type FoundPage,
  type Queries,
  queryPayload,
  type SearchCallOptions,
} from './search.ts'

type Properties = { readonly [name: string]: unknown }

/** AuthZEN's information model: may this subject do this to that resource? Plain JSON data throughout. */
export interface Evaluation {
  readonly subject: { readonly type: string; readonly id: string; readonly properties?: Properties }
  readonly action: { readonly name: string; readonly properties?: Properties }
  readonly resource: {
    readonly type: string
    readonly id: string
    readonly properties?: Properties
  }
  readonly context?: Properties
}

export interface CallOptions extends DecideOptions {
  /** 1 to 128 characters: the same call again within five minutes gets the same decision. */
  readonly idempotencyKey?: string
  /** Obligation types that this program carries out; a verdict with another one is a deny. */
  readonly obligations?: readonly string[]
}

/** Every method throws NoDecision, and every NoDecision is a deny. */
export interface Assay extends Closable {
  /** @throws NoDecision `malformed` when it is not plain data or larger than the limit; `closed`, `overloaded`, `unavailable` and the rest */
  decide(evaluation: Evaluation, options?: CallOptions): Promise<Decision>
  /** Any action of any plugin. Bytes reach the plugin as they are; any other payload is plain JSON data. */
  decideAction(action: string, payload: unknown, options?: CallOptions): Promise<Decision>
  /** Would it be allowed? Not authoritative: nothing is written but a count. */
  check(evaluation: Evaluation, options?: CallOptions): Promise<DryRun>
  /**
   * Every subject, resource or action with which the rest of the query would be allowed, as of one instant; with `limit` a page of them,
   * and `nextToken` for the next one. One leaf a page. Never a short list.
   *
   * @throws NoDecision; `search_budget`, `not_searchable`, `invalid_page_token` are in the query
   */
  search<Kind extends SearchKind>(
    kind: Kind,
    query: Queries[Kind],
    options?: SearchCallOptions,
  ): Promise<FoundPage<Kind>>
  /** All of them, a page at a time as they are asked for; each page is of its own instant. `limit` defaults to 100. @throws as {@link search} */
  searchAll<Kind extends SearchKind>(
    kind: Kind,
    query: Queries[Kind],
    options?: SearchCallOptions,
  ): AsyncIterableIterator<Found<Kind>>
  /** Of an earlier decision, under the newest head; undefined when there is none with this id. */
  receipt(decisionId: string): Promise<Receipt | undefined>
  /** Takes no more calls, waits for those under way, and closes the kernel. */
  close(): Promise<void>
}

export interface AssayOptions {
  /** The program's name, 1 to 128 characters: the peer is `{ kind: 'embedded', id }`. Default `process`. */
  readonly id?: string
  /** Of a payload's UTF-8 text. Default 65,536. */
  readonly maxPayloadBytes?: number
  /** What a call waits for that does not say. Default: the kernel's, `sealed`. */
  readonly seal?: Seal
}

export function createAssay(kernel: Kernel, options: AssayOptions = {}): Assay {
  return new Embedded(kernel, options)
}

const EVALUATE = 'access.evaluate'

function payloadOf(value: unknown): Payload {
  return value instanceof Uint8Array
    ? Payload.fromBytes(Uint8Array.from(value))
    : Payload.fromParsed(snapshot(value))
}

/** Members of a later AuthZEN version are ignored, here as over HTTP. */
function evaluationPayload(evaluation: Evaluation): Payload {
  const named = ['subject', 'action', 'resource']
  return Payload.fromParsed(snapshotMembers(evaluation, named, ['context']))
}

class Embedded implements Assay {
  readonly #kernel: Kernel
  readonly #peer: Peer
  readonly #maxPayloadBytes: number
  readonly #seal: Seal | undefined
  #underWay = 0
  #idle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(kernel: Kernel, { id = 'process', maxPayloadBytes = 65_536, seal }: AssayOptions) {
    this.#kernel = kernel
    this.#peer = Object.freeze({ kind: 'embedded', id })
    this.#maxPayloadBytes = maxPayloadBytes
    this.#seal = seal
  }

  decide(evaluation: Evaluation, options: CallOptions = {}): Promise<Decision> {
    return this.#call(() => this.#decide(EVALUATE, evaluationPayload(evaluation), options))
  }

  decideAction(action: string, payload: unknown, options: CallOptions = {}): Promise<Decision> {
    return this.#call(() => this.#decide(action, payloadOf(payload), options))
  }

  check(evaluation: Evaluation, options: CallOptions = {}): Promise<DryRun> {
    return this.#call(() => {
      const submission = this.#submission(EVALUATE, evaluationPayload(evaluation), options)
      return this.#kernel.check(submission, this.#optionsOf(options))
    })
  }

  search<Kind extends SearchKind>(
    kind: Kind,
    query: Queries[Kind],
    options: SearchCallOptions = {},
  ): Promise<FoundPage<Kind>> {
    const { limit, token, ...call } = options
    return this.#call(async () => {
      const asked = this.#submission(EVALUATE, queryPayload(kind, query), call)
      const page = await this.#kernel.search(
        { ...asked, kind },
        {
          ...this.#optionsOf(call),
          ...(limit === undefined ? {} : { limit }),
          ...(token === undefined ? {} : { token }),
        },
      )
      return page as FoundPage<Kind>
    })
  }

  async *searchAll<Kind extends SearchKind>(
    kind: Kind,
    query: Queries[Kind],
    options: SearchCallOptions = {},
  ): AsyncIterableIterator<Found<Kind>> {
    let paged: SearchCallOptions = { limit: 100, ...options }
    do {
      const page: FoundPage<Kind> = await this.search(kind, query, paged)
      yield* page.results
      paged = { ...paged, token: page.nextToken }
    } while (paged.token !== '')
  }

  receipt(decisionId: string): Promise<Receipt | undefined> {
    return this.#call(() => this.#kernel.receipt(decisionId))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    await this.#kernel.close()
  }

  #decide(action: string, payload: Payload, options: CallOptions): Promise<Decision> {
    return this.#kernel.decide(this.#submission(action, payload, options), this.#optionsOf(options))
  }

  #submission(
    action: string,
    payload: Payload,
    { idempotencyKey, obligations }: CallOptions,
  ): Submission {
    const max = this.#maxPayloadBytes
    // A UTF-16 unit has at most three UTF-8 bytes: short texts need no count.
    if (payload.text.length * 3 > max && payload.bytes.length > max)
      throw new NoDecision('malformed', `a payload has at most ${max} bytes`)
    return {
      action,
      payload,
      peer: this.#peer,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(obligations === undefined ? {} : { obligations: [...obligations] }),
    }
  }

  #optionsOf({ seal = this.#seal, signal, timeoutMs }: CallOptions): DecideOptions {
    return {
      ...(seal === undefined ? {} : { seal }),
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new NoDecision('closed', 'this Assay was closed')
    this.#underWay++
    try {
      return await run()
    } catch (cause) {
      if (cause instanceof NoDecision) throw cause
      throw new NoDecision('unavailable', 'no decision could be made', { cause })
    } finally {
      this.#underWay--
      if (this.#underWay === 0) this.#idle?.()
    }
  }
}
