/** What a store asks of DynamoDB: each call's operation, the permissions that AWS wants for it, and the capacity that it uses. */
import type { AttributeValue, DynamoDB, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { openSdk } from '../../adapters/store/dynamodb/client.ts'
import type { Place } from '../../adapters/store/dynamodb/failure.ts'

export interface Call {
  readonly operation: string
  /** Actions of IAM, without `dynamodb:`. */
  readonly actions: readonly string[]
  readonly input: Readonly<Record<string, unknown>>
  /** Capacity units, of writing or of reading. */
  readonly units: number
}

/** An SDK client that tells of each call that was answered. */
export async function recording(place: Place, tell: (call: Call) => void): Promise<DynamoDB> {
  const sdk = await openSdk(place)
  const meter = new Meter()
  sdk.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args)
      const operation = String(context.commandName).replace(/Command$/, '')
      const input = args.input as Call['input']
      const units = meter.unitsOf(operation, input, answer.output as Counted)
      tell({ operation, actions: actionsOf(operation, input), input, units })
      return answer
    },
    { step: 'initialize', name: 'recording' },
  )
  return sdk
}

/** A transaction has no permission of its own: AWS wants the one of each of its items. */
function actionsOf(operation: string, input: Call['input']): readonly string[] {
  if (operation !== 'TransactWriteItems') return [operation]
  return [...new Set(itemsOf(input).map(actionOf))]
}
const itemsOf = (input: Call['input']): readonly TransactWriteItem[] =>
  input.TransactItems as readonly TransactWriteItem[]
function actionOf({ ConditionCheck, Delete, Put }: TransactWriteItem): string {
  return ConditionCheck
    ? 'ConditionCheckItem'
    : Delete
      ? 'DeleteItem'
      : Put
        ? 'PutItem'
        : 'UpdateItem'
}

interface Counted {
  readonly ConsumedCapacity?: Capacity | readonly Capacity[]
}
interface Capacity {
  readonly CapacityUnits?: number
}

/**
 * Reads as the answer counts them. DynamoDB Local counts transactions by a rule of its own, so these are counted by AWS's: two units for each
 * kilobyte begun of each item, and of the item that was there before where that is larger.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
 */
class Meter {
  readonly #sizes = new Map<string, number>()

  unitsOf(operation: string, input: Call['input'], { ConsumedCapacity }: Counted): number {
    if (operation === 'TransactWriteItems')
      return itemsOf(input).reduce((sum, item) => sum + 2 * this.#kilobytes(item), 0)
    if (ConsumedCapacity === undefined) return 0
    const all = 'length' in ConsumedCapacity ? ConsumedCapacity : [ConsumedCapacity]
    return all.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
  }

  #kilobytes({ ConditionCheck, Delete, Put }: TransactWriteItem): number {
    const { pk, sk } = Put?.Item ?? Delete?.Key ?? ConditionCheck?.Key ?? {}
    const at = JSON.stringify([pk, sk])
    const before = this.#sizes.get(at) ?? 0
    const size = Put?.Item === undefined ? 0 : sizeOf(Put.Item)
    if (Put) this.#sizes.set(at, size)
    if (Delete) this.#sizes.delete(at)
    return Math.max(1, Math.ceil(Math.max(size, before) / 1024))
  }
}

/** Names and values. */
function sizeOf(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + bytesIn(value), 0)
}

/** A number has about a byte for two of its digits. */
function bytesIn({ B, N = '', S }: AttributeValue): number {
  if (B !== undefined) return B.length
  return S === undefined ? 1 + N.length / 2 : Buffer.byteLength(S)
}
