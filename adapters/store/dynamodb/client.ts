/**
 * The way to the table: every call has a deadline, asks for consistent reads, and is tried again only where that is safe. The SDK itself never
 * tries again: it would not know what of it is.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type {
  AttributeValue,
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  CancellationReason,
  DynamoDB,
  GetItemCommandInput,
  GetItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  TransactWriteItem,
  TransactWriteItemsCommandInput,
  TransactWriteItemsCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { randomBytes, toHex } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { type Failure, failureOf, NO_CONNECTION, type Place, storeError } from './failure.ts'
import { Slots } from './slots.ts'
import { type ItemKey, NAME } from './table.ts'

export type Item = Readonly<Record<string, AttributeValue>>

export interface ClientOptions extends Place {
  readonly clock: Clock
  /** Milliseconds for one call of the store, its repetitions included. Default 5,000. */
  readonly timeoutMs?: number
}

export const TIMEOUT_MS = 5000
/** One call is tried so often where nothing answers. */
const ATTEMPTS = 3
/** Requests at the same time: each has a connection of its own, kept for the next. */
const CONNECTIONS = 64
const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500

interface Operations {
  readonly batchGetItem: readonly [BatchGetItemCommandInput, BatchGetItemCommandOutput]
  readonly getItem: readonly [GetItemCommandInput, GetItemCommandOutput]
  readonly query: readonly [QueryCommandInput, QueryCommandOutput]
  readonly transactWriteItems: readonly [
    TransactWriteItemsCommandInput,
    TransactWriteItemsCommandOutput,
  ]
}
type Operation = keyof Operations
type Input<O extends Operation> = Operations[O][0]
type Output<O extends Operation> = Operations[O][1]
type Calls = {
  readonly [O in Operation]: (
    input: Input<O>,
    options: { abortSignal: AbortSignal },
  ) => Promise<Output<O>>
}
/** DynamoDB's own name. */
const NAMES: { readonly [O in Operation]: string } = {
  batchGetItem: 'BatchGetItem',
  getItem: 'GetItem',
  query: 'Query',
  transactWriteItems: 'TransactWriteItems',
}

/** The condition of the item at this position did not hold: nothing was written. */
export interface Unmet {
  readonly position: number
  /** False: an earlier attempt went unanswered, and may arrive yet should the condition hold again. */
  readonly final: boolean
}

export interface Page {
  readonly items: readonly Item[]
  /** The `sk` to go on after, where there may be more. */
  readonly next?: string
}

export interface PageQuery {
  readonly pk: string
  /** Of `sk`; may be empty. */
  readonly prefix: string
  /** An `sk` that begins with the prefix; there need not be such an item. */
  readonly after?: string
  readonly limit?: number
}

/** The SDK, which only those who use DynamoDB have. @throws StoreError `misconfigured` */
export async function loadSdk(): Promise<typeof import('@aws-sdk/client-dynamodb')> {
  try {
    return await import('@aws-sdk/client-dynamodb')
  } catch (cause) {
    const what = 'the AWS SDK is not installed; run: npm install @aws-sdk/client-dynamodb'
    throw new StoreError(NAME, 'misconfigured', what, { cause })
  }
}

/** An SDK client as the store and `assay store init` use it. Credentials come from the SDK's own chain. @throws StoreError `misconfigured` */
export async function openSdk({ endpoint, region }: Place): Promise<DynamoDB> {
  const { DynamoDB } = await loadSdk()
  const agent = { keepAlive: true, maxSockets: CONNECTIONS }
  return new DynamoDB({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      // A request's own deadline ends it.
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
  })
}
const CONNECT_MS = 1000

export class Client implements Place {
  readonly table: string
  readonly region: string
  readonly endpoint?: string
  readonly #sdk: DynamoDB
  readonly #calls: Calls
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #slots = new Slots(CONNECTIONS)
  #users = 0

  constructor(sdk: DynamoDB, { clock, endpoint, region, table, timeoutMs }: ClientOptions) {
    this.table = table
    this.region = region
    if (endpoint !== undefined) this.endpoint = endpoint
    this.#sdk = sdk
    this.#clock = clock
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS
    this.#calls = {
      batchGetItem: (input, options) => sdk.batchGetItem(input, options),
      getItem: (input, options) => sdk.getItem(input, options),
      query: (input, options) => sdk.query(input, options),
      transactWriteItems: (input, options) => sdk.transactWriteItems(input, options),
    }
  }

  /** Store and log use one client; the last one that leaves closes it. */
  join(): void {
    this.#users += 1
  }
  leave(): void {
    this.#users -= 1
    if (this.#users === 0) this.#sdk.destroy()
  }

  /** Of a call that begins now, in monotonic milliseconds. */
  deadline(): number {
    return this.#clock.monotonic() + this.#timeoutMs
  }
  /** Milliseconds until then. */
  until(deadline: number): number {
    return deadline - this.#clock.monotonic()
  }

  /** Sees every write that was acknowledged. @throws StoreError */
  async get(key: ItemKey): Promise<Item | undefined> {
    const input = { TableName: this.table, Key: key, ConsistentRead: true, ...COUNTED }
    return (await this.#read('getItem', input)).Item
  }

  /** Those of 1 to 100 items that are there, in no order; consistently read. @throws StoreError */
  async getMany(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const found: Item[] = []
    const attempts = attemptsUntil(this.deadline())
    let left: Record<string, AttributeValue>[] = keys.map(({ pk, sk }) => ({ pk, sk }))
    while (left.length > 0) {
      const asked = { [this.table]: { Keys: left, ConsistentRead: true } }
      const answer = await this.#read('batchGetItem', { RequestItems: asked, ...COUNTED }, attempts)
      found.push(...(answer.Responses?.[this.table] ?? []))
      const rest = answer.UnprocessedKeys?.[this.table]?.Keys ?? []
      // Some of it is what one answer holds; nothing at all is a table at its limit.
      if (rest.length === left.length)
        await this.#again(failureOf({ name: 'Throttling' }), 'batchGetItem', attempts)
      left = rest
    }
    return found
  }

  /** Items of one `pk` in the UTF-8 byte order of their `sk`, consistently read. @throws StoreError */
  async page({ after, limit, pk, prefix }: PageQuery): Promise<Page> {
    const { Items = [], LastEvaluatedKey } = await this.#read('query', {
      TableName: this.table,
      KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: pk }, ...(prefix && { ':sk': { S: prefix } }) },
      ...(after === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: after } } }),
      ...(limit === undefined ? {} : { Limit: limit }),
      ConsistentRead: true,
      ...COUNTED,
    })
    const next = LastEvaluatedKey?.sk?.S
    return next === undefined ? { items: Items } : { items: Items, next }
  }

  /**
   * Writes all of it or nothing: 1 to 100 items, each with its condition. Undefined: it is written. Every attempt is the same request by its token,
   * so that DynamoDB itself makes one of them (for ten minutes).
   *
   * @param deadline of a call that began earlier
   * @throws StoreError `unknown_outcome`: it may have been written; else nothing was
   */
  async transact(
    items: readonly TransactWriteItem[],
    deadline: number = this.deadline(),
  ): Promise<Unmet | undefined> {
    const input = {
      TransactItems: [...items],
      ClientRequestToken: toHex(randomBytes(16)),
      ...COUNTED,
    }
    const attempts = attemptsUntil(deadline)
    for (;;) {
      try {
        await this.#once('transactWriteItems', input, attempts)
        return undefined
      } catch (error) {
        const reasons = cancelled(error)
        const position = reasons?.findIndex(({ Code }) => Code === UNMET) ?? -1
        if (position >= 0) return { position, final: !attempts.uncertain }
        const failure = failureOf(reasons === undefined ? error : causeOf(reasons))
        attempts.uncertain ||= failure.uncertain
        await this.#again(failure, 'transactWriteItems', attempts)
      }
    }
  }

  async #read<O extends Operation>(
    operation: O,
    input: Input<O>,
    attempts: Attempts = attemptsUntil(this.deadline()),
  ): Promise<Output<O>> {
    for (;;) {
      try {
        return await this.#once(operation, input, attempts)
      } catch (error) {
        await this.#again(failureOf(error), operation, attempts)
      }
    }
  }

  async #once<O extends Operation>(
    operation: O,
    input: Input<O>,
    attempts: Attempts,
  ): Promise<Output<O>> {
    const left = (): number => this.until(attempts.deadline)
    const leave = await this.#slots.enter(left())
    if (leave === undefined)
      throw Object.assign(new Error('no connection'), { name: NO_CONNECTION })
    const controller = new AbortController()
    const late = Promise.withResolvers<never>()
    const ms = Math.max(1, Math.min(left(), this.#timeoutMs / ATTEMPTS))
    const timer = setTimeout(() => {
      late.reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
      controller.abort()
    }, Math.ceil(ms))
    try {
      attempts.made += 1
      const sent = this.#calls[operation](input, { abortSignal: controller.signal })
      // Looking for credentials knows no signal.
      const output = await Promise.race([sent, late.promise])
      if (output.ConsumedCapacity === undefined) throw new Error('no ConsumedCapacity')
      return output
    } finally {
      clearTimeout(timer)
      leave()
    }
  }

  /** Waits for the next attempt. @throws StoreError where there is none */
  async #again(failure: Failure, operation: Operation, attempts: Attempts): Promise<void> {
    const ms = pauseMs(attempts.made)
    const late = this.until(attempts.deadline) <= ms
    // The SDK corrects itself by the time in the answer: once is enough.
    const inVain = failure.kind === 'skewed_clock' && attempts.made > 1
    if (!failure.again || inVain || late || this.#users === 0) {
      const outcome = attempts.uncertain ? 'unknown' : undefined
      throw storeError(failure, this, NAMES[operation], outcome)
    }
    await pause(ms)
  }
}

/** An answer without it is not the whole answer: without its members, an absent record could be read out of a cut one. */
const COUNTED = { ReturnConsumedCapacity: 'TOTAL' } as const

interface Attempts {
  /** Monotonic milliseconds. */
  readonly deadline: number
  made: number
  /** One that changes something went unanswered. */
  uncertain: boolean
}

const attemptsUntil = (deadline: number): Attempts => ({ deadline, made: 0, uncertain: false })

const UNMET = 'ConditionalCheckFailed'

function cancelled(error: unknown): readonly CancellationReason[] | undefined {
  const { CancellationReasons, name } = error as {
    name?: string
    CancellationReasons?: CancellationReason[]
  }
  return name === 'TransactionCanceledException' ? CancellationReasons : undefined
}

/** Why a transaction was cancelled whose conditions held: another one was at the same items, or the table is at its limit. */
function causeOf(reasons: readonly CancellationReason[]): unknown {
  const code = reasons.find(({ Code = 'None' }) => Code !== 'None')?.Code ?? 'None'
  return { name: code === 'ValidationError' ? 'ValidationException' : 'ThrottlingException', code }
}

/** Half of it is chance, so that those who met once do not meet again. */
function pauseMs(made: number): number {
  const [part = 0] = randomBytes(1)
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (made - 1), LONGEST_PAUSE_MS)
  return most * (0.5 + part / 512)
}
