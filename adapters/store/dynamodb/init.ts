/** `assay store init`: makes the table, waits for it, and leaves in it what says that it is ours. Done again, it changes nothing. */
import { setTimeout as pause } from 'node:timers/promises'
import type { DynamoDB, TableDescription } from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { Client, openSdk } from './client.ts'
import { failureOf, named, type Place, storeError } from './failure.ts'
import { checkLayout, layoutPut } from './layout.ts'
import { NAME, tableDefinition } from './table.ts'

export interface InitOptions extends Place {
  readonly clock: Clock
  /** Keeps what is needed to restore the table as it was at any second of the last 35 days. Default: as it is. */
  readonly pointInTimeRecovery?: boolean
  /** Whoever deletes the table has to take this away first. Default: as it is. */
  readonly deletionProtection?: boolean
  /** An SDK client of the caller's own, with its own credentials; it ends here. */
  readonly sdk?: DynamoDB
}

/** Milliseconds that a new table may take. */
const TABLE_MS = 120_000
const CALL_MS = 10_000
const POLL_MS = 500

/**
 * True: the table was made. False: it was there; what of it differs from `options` was changed.
 *
 * @throws StoreError `misconfigured`: there is a table of that name with other keys or of another layout; `denied`, `unavailable`
 */
export async function initTable(options: InitOptions): Promise<boolean> {
  const sdk = options.sdk ?? (await openSdk(options))
  const client = new Client(sdk, options)
  client.join()
  try {
    const admin = new Admin(sdk, options)
    const found = await admin.describe()
    if (found === undefined) await admin.create()
    await admin.configure(await admin.active())
    await client.transact([layoutPut(client.table)])
    await checkLayout(client)
    return found === undefined
  } finally {
    client.leave()
  }
}

class Admin {
  readonly #sdk: DynamoDB
  readonly #options: InitOptions

  constructor(sdk: DynamoDB, options: InitOptions) {
    this.#sdk = sdk
    this.#options = options
  }

  async describe(): Promise<TableDescription | undefined> {
    const { table: TableName } = this.#options
    const call = async (abortSignal: AbortSignal): Promise<TableDescription | undefined> => {
      try {
        return (await this.#sdk.describeTable({ TableName }, { abortSignal })).Table
      } catch (error) {
        if (failureOf(error).kind === 'no_table') return undefined
        throw error
      }
    }
    return await this.#call('DescribeTable', call)
  }

  async create(): Promise<void> {
    const { deletionProtection = false, table } = this.#options
    const definition = { ...tableDefinition(table), DeletionProtectionEnabled: deletionProtection }
    await this.#call('CreateTable', async (abortSignal) => {
      try {
        await this.#sdk.createTable(definition, { abortSignal })
      } catch (error) {
        // Somebody else was faster.
        if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error
      }
    })
  }

  /** Waits for it. */
  async active(): Promise<TableDescription> {
    const { clock } = this.#options
    const deadline = clock.monotonic() + TABLE_MS
    for (;;) {
      const table = await this.describe()
      if (table?.TableStatus === 'ACTIVE' || table?.TableStatus === 'UPDATING') return table
      if (clock.monotonic() > deadline) {
        const what = `${named(this.#options)} is ${table?.TableStatus ?? 'not there'} after ${TABLE_MS} ms; try again`
        throw new StoreError(NAME, 'unavailable', what)
      }
      await pause(POLL_MS)
    }
  }

  /** @throws StoreError `misconfigured`: it has other keys */
  async configure(found: TableDescription): Promise<void> {
    const { deletionProtection, pointInTimeRecovery, table: TableName } = this.#options
    const { AttributeDefinitions, KeySchema } = tableDefinition(TableName)
    const ours = shapeOf({ AttributeDefinitions, KeySchema })
    if (shapeOf(found) !== ours) {
      const what = `${named(this.#options)} is there with other keys than Assay's; name another table`
      throw new StoreError(NAME, 'misconfigured', what)
    }
    if (
      deletionProtection !== undefined &&
      deletionProtection !== (found.DeletionProtectionEnabled ?? false)
    ) {
      const update = { TableName, DeletionProtectionEnabled: deletionProtection }
      await this.#call('UpdateTable', (abortSignal) =>
        this.#sdk.updateTable(update, { abortSignal }),
      )
    }
    if (pointInTimeRecovery === undefined) return
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: pointInTimeRecovery }
    const update = { TableName, PointInTimeRecoverySpecification }
    await this.#call('UpdateContinuousBackups', (abortSignal) =>
      this.#sdk.updateContinuousBackups(update, { abortSignal }),
    )
  }

  async #call<T>(operation: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await run(AbortSignal.timeout(CALL_MS))
    } catch (error) {
      throw storeError(failureOf(error), this.#options, operation)
    }
  }
}

/** Keys and their types, whatever the order in which they are told. */
function shapeOf({ AttributeDefinitions = [], KeySchema = [] }: TableDescription): string {
  const types = new Map(
    AttributeDefinitions.map((each) => [each.AttributeName, each.AttributeType]),
  )
  const keys = KeySchema.map(({ AttributeName, KeyType }) => [
    KeyType,
    AttributeName,
    types.get(AttributeName),
  ])
  return JSON.stringify(keys.sort())
}
