/** What a store asks of DynamoDB: each call's operation, the permissions that AWS wants for it, and the capacity that it used. */
import type { DynamoDB, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { openSdk } from '../../adapters/store/dynamodb/client.ts'
import type { Place } from '../../adapters/store/dynamodb/failure.ts'

export interface Call {
  readonly operation: string
  /** Actions of IAM, without `dynamodb:`. */
  readonly actions: readonly string[]
  readonly input: Readonly<Record<string, unknown>>
  /** Capacity units; undefined where the answer has none. */
  readonly units?: number
}

/** An SDK client that tells of each call that was answered. */
export async function recording(place: Place, tell: (call: Call) => void): Promise<DynamoDB> {
  const sdk = await openSdk(place)
  sdk.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args)
      const operation = String(context.commandName).replace(/Command$/, '')
      const input = args.input as Call['input']
      const units = unitsOf(operation, input, answer.output as Counted)
      const actions = actionsOf(operation, input)
      tell({ operation, actions, input, ...(units === undefined ? {} : { units }) })
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

/** DynamoDB Local counts a transaction of one item twice; AWS takes two units for each kilobyte of each item, as it does for several. */
function unitsOf(operation: string, input: Call['input'], output: Counted): number | undefined {
  const { ConsumedCapacity } = output
  if (ConsumedCapacity === undefined) return undefined
  const all = 'length' in ConsumedCapacity ? ConsumedCapacity : [ConsumedCapacity]
  const units = all.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
  return operation === 'TransactWriteItems' && itemsOf(input).length === 1 ? units / 2 : units
}
