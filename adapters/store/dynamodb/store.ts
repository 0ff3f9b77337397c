/** The records. Each batch is one transaction of DynamoDB. */
import { StoreError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Batch, Key, Outcome, Store, Stored } from '../../../core/ports/store.ts'
import { batchError, checkKey, checkRange } from '../../../core/storage.ts'
import type { Client } from './client.ts'
import { Commits, type Prepared } from './commit.ts'
import { recordKey } from './keys.ts'
import { list } from './list.ts'
import { Reads } from './reads.ts'
import { isTooLarge, recordOf, transactionOf } from './record.ts'
import { MAX_ITEMS, MAX_VALUE_BYTES, NAME } from './table.ts'

export interface StoreOptions {
  readonly client: Client
  readonly clock: Clock
  readonly prefix: string
  readonly readOnly: boolean
}

export class DynamoStore implements Store {
  readonly name: string = NAME
  readonly durable = true
  readonly ordersOnCommit = false
  /** One item of a transaction is the leaf's. */
  readonly maxBatch: number = MAX_ITEMS - 1
  readonly maxValueBytes: number = MAX_VALUE_BYTES
  readonly #options: StoreOptions
  readonly #commits: Commits
  readonly #reads: Reads
  #closed = false

  constructor(options: StoreOptions) {
    this.#options = options
    this.#commits = new Commits(options.client)
    this.#reads = new Reads(options.client)
    options.client.join()
  }

  async get(key: Key): Promise<Stored | undefined> {
    this.#assertOpen()
    checkKey(NAME, key)
    const item = await this.#reads.get(recordKey(this.#options.prefix, key))
    return item && recordOf(key.partition, item)
  }

  async *list(partition: string, prefix: string, after?: string): AsyncIterable<Stored> {
    this.#assertOpen()
    checkRange(NAME, partition, prefix, after)
    const { client, prefix: logPrefix } = this.#options
    const range = { partition, prefix, ...(after === undefined ? {} : { after }) }
    for await (const stored of list(client, logPrefix, range)) {
      this.#assertOpen()
      yield stored
    }
  }

  async commit(batches: readonly Batch[]): Promise<readonly Outcome[]> {
    this.#assertOpen()
    if (this.#options.readOnly)
      throw new StoreError(NAME, 'read_only', 'it was opened to be read; open it to be written')
    return await this.#commits.all(batches.map((batch) => this.#prepare(batch)))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#options.client.leave()
  }

  #prepare(batch: Batch): Prepared {
    const { client, clock, prefix } = this.#options
    const error = batchError(this, batch)
    if (error) return { error }
    if (isTooLarge(batch)) {
      const what = 'a batch has at most 4 MB with all its keys; split it'
      return { error: new StoreError(NAME, 'batch_too_large', what) }
    }
    const target = { table: client.table, prefix, now: clock.now() }
    return { batch, items: transactionOf(batch, target) }
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError(NAME, 'closed', 'the store was closed; open a new one')
  }
}
