/** One call of `commit`: its batches at the same time, but for those that name the same record, which keep their order. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../../core/error.ts'
import { KeyMap } from '../../../core/keymap.ts'
import type { Batch, Outcome } from '../../../core/ports/store.ts'
import { keyOf } from '../../../core/storage.ts'
import type { Client, Unmet } from './client.ts'
import { NAME } from './table.ts'

/** A batch that may be sent, or why it may not. */
export type Prepared =
  | { readonly batch: Batch; readonly items: readonly TransactWriteItem[] }
  | { readonly error: StoreError }

/** @throws StoreError when no batch that was sent came through: with `unknown_outcome` where one of them may have */
export async function commitAll(
  client: Client,
  prepared: readonly Prepared[],
): Promise<readonly Outcome[]> {
  const earlier = new KeyMap<Promise<Outcome>>()
  const all = prepared.map((each) => ('error' in each ? each : inOrder(client, each, earlier)))
  const outcomes = await Promise.all(all)
  const sent = outcomes.filter((_, i) => !('error' in prepared[i]!))
  const failures = sent.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
  const [first] = failures
  if (first !== undefined && failures.length === sent.length)
    throw failures.find(({ code }) => code === 'unknown_outcome') ?? first
  return outcomes
}

type Sendable = Exclude<Prepared, { readonly error: StoreError }>

/** After everything before it in the call that names one of its records. */
function inOrder(
  client: Client,
  { batch, items }: Sendable,
  earlier: KeyMap<Promise<Outcome>>,
): Promise<Outcome> {
  const keys = batch.writes.map(keyOf)
  const before = keys.flatMap((key) => earlier.get(key) ?? [])
  const run = async (): Promise<Outcome> => {
    await Promise.all(before)
    return await commitOne(client, batch, items)
  }
  const outcome = run()
  for (const key of keys) earlier.set(key, outcome)
  return outcome
}

async function commitOne(
  client: Client,
  batch: Batch,
  items: readonly TransactWriteItem[],
): Promise<Outcome> {
  if (items.length === 0) return {}
  try {
    const unmet = await client.transact(items)
    return unmet === undefined ? {} : lost(batch, unmet)
  } catch (error) {
    if (error instanceof StoreError) return { error }
    throw error
  }
}

function lost({ writes }: Batch, { final, position }: Unmet): Outcome {
  const write = writes[position]
  // A version is never given twice: where it is gone, no late attempt finds it. What is there now can be absent then.
  if (!final && write?.if === 'absent') {
    const what = 'an attempt went unanswered and may arrive yet; read it again'
    return { error: new StoreError(NAME, 'unknown_outcome', what) }
  }
  if (write !== undefined) return { conflict: { ...keyOf(write) } }
  const what = 'this very leaf waits for its place already'
  return { error: new StoreError(NAME, 'duplicate_key', what) }
}
