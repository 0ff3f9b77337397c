/** What is committed: everything at the same time, but for batches that name the same record, which keep their order. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../../core/error.ts'
import { KeyMap } from '../../../core/keymap.ts'
import type { Batch, Key, Outcome, Write } from '../../../core/ports/store.ts'
import { keyOf } from '../../../core/storage.ts'
import type { Client, Unmet } from './client.ts'
import { NAME } from './table.ts'

/** A batch that may be sent, or why it may not. */
export type Prepared =
  | { readonly batch: Batch; readonly items: readonly TransactWriteItem[] }
  | { readonly error: StoreError }

type Sendable = Exclude<Prepared, { readonly error: StoreError }>

/** What was done to a record last, and what came of it. */
interface Earlier {
  readonly write: Write
  readonly outcome: Promise<Outcome>
}

export class Commits {
  readonly #client: Client
  /** Of each record the last transaction that names it and is under way: two at the same time would meet in the table, and both begin again. */
  readonly #last = new KeyMap<Earlier>()

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws StoreError when no batch that was sent came through: with `unknown_outcome` where one of them may have */
  async all(prepared: readonly Prepared[]): Promise<readonly Outcome[]> {
    const all = prepared.map((each) => ('error' in each ? each : this.#inOrder(each)))
    const outcomes = await Promise.all(all)
    const sent = outcomes.filter((_, i) => !('error' in prepared[i]!))
    const failures = sent.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
    const [first] = failures
    if (first !== undefined && failures.length === sent.length)
      throw failures.find(({ code }) => code === 'unknown_outcome') ?? first
    return outcomes
  }

  /** After everything before it that names one of its records. */
  async #inOrder({ batch, items }: Sendable): Promise<Outcome> {
    const before = batch.writes.flatMap((write) => this.#last.get(keyOf(write)) ?? [])
    const outcome = this.#after(before, batch, items)
    for (const write of batch.writes) this.#last.set(keyOf(write), { write, outcome })
    try {
      return await outcome
    } finally {
      for (const key of batch.writes.map(keyOf))
        if (this.#last.get(key)?.outcome === outcome) this.#last.delete(key)
    }
  }

  async #after(
    before: readonly Earlier[],
    batch: Batch,
    items: readonly TransactWriteItem[],
  ): Promise<Outcome> {
    const deadline = this.#client.deadline()
    if (before.length === 0) return await commitOne(this.#client, { batch, items, deadline })
    const all = before.map(({ outcome }) => outcome)
    if (await ended(all, this.#client.until(deadline))) {
      const gone = goneBefore(batch, before, await Promise.all(all))
      return gone ? { conflict: gone } : await commitOne(this.#client, { batch, items, deadline })
    }
    const what = 'too many decisions at the same record wait; nothing was written; try again'
    return { error: new StoreError(NAME, 'unavailable', what) }
  }
}

/** The batch's first record, where its version is no more, as the outcome of an earlier batch shows: versions never come back, so nobody has to be asked. */
function goneBefore(
  { writes }: Batch,
  before: readonly Earlier[],
  outcomes: readonly Outcome[],
): Key | undefined {
  const gone = new KeyMap<string>()
  for (const [i, { write }] of before.entries()) {
    const outcome = outcomes[i]!
    const changed = !('conflict' in outcome || 'error' in outcome) && !('check' in write)
    const lost = 'conflict' in outcome && isSame(outcome.conflict, keyOf(write))
    if (changed || lost) gone.set(keyOf(write), write.if)
  }
  // A conflict names the first of the batch's records: of another one it is not known whether those before it would do.
  const [first] = writes
  if (first === undefined || first.if === 'absent') return undefined
  return gone.get(keyOf(first)) === first.if ? { ...keyOf(first) } : undefined
}

const isSame = (a: Key, b: Key): boolean => a.partition === b.partition && a.sort === b.sort

/** Whether all of them were over in time. */
async function ended(all: readonly Promise<Outcome>[], ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([Promise.allSettled(all).then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

async function commitOne(
  client: Client,
  { batch, deadline, items }: Sendable & { readonly deadline: number },
): Promise<Outcome> {
  if (items.length === 0) return {}
  try {
    const unmet = await client.transact(items, deadline)
    return unmet === undefined ? {} : lost(batch, unmet)
  } catch (error) {
    if (error instanceof StoreError) return { error }
    throw error
  }
}

function lost({ writes }: Batch, { final, position }: Unmet): Outcome {
  const write = writes[position]
  // A version is never given twice: where it is gone, no late attempt finds it. What is there now can be absent then.
  if (!final && (write === undefined || write.if === 'absent')) {
    const what = 'an attempt went unanswered and may arrive yet; read it again'
    return { error: new StoreError(NAME, 'unknown_outcome', what) }
  }
  if (write !== undefined) return { conflict: { ...keyOf(write) } }
  const what = 'this very leaf waits for its place already'
  return { error: new StoreError(NAME, 'duplicate_key', what) }
}
