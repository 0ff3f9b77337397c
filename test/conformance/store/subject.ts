/** What the laws of a store and of its log need of an adapter. */

import { expect } from 'vitest'
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Key, Outcome, Store, Version, Write } from '../../../core/ports/store.ts'
import { bytes, text } from '../bytes.ts'
import type { Law, Subject } from '../laws.ts'

/** A store, alone on its data. */
export interface Opened {
  readonly store: Store
  readonly log: LogStore
  /** Closes both and opens them again as a new process would. Later calls see what the last one opened. */
  reopen(): Promise<Opened>
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>
}

export interface StoreSubject extends Subject {
  /** An empty store. */
  open(): Promise<Opened>
}

/** A law over one empty store. */
export function law(name: string, run: (opened: Opened) => Promise<void>): Law<StoreSubject> {
  return {
    name,
    async run(subject) {
      const opened = await subject.open()
      try {
        await run(opened)
      } finally {
        await opened.dispose()
      }
    },
  }
}

export function key(sort: string, partition = 'p'): Key {
  return { partition, sort }
}

export function put(
  sort: string,
  value: string,
  version: Version = 'absent',
  partition = 'p',
): Write {
  return { put: key(sort, partition), value: bytes(value), if: version }
}

/** Commits one batch. */
export async function write(store: Store, ...writes: readonly Write[]): Promise<Outcome> {
  const [outcome] = await store.commit([{ writes }])
  if (!outcome) throw new Error('no outcome for a batch')
  return outcome
}

/** The version that a record has, or `absent`. */
export async function versionOf(store: Store, sort: string, partition = 'p'): Promise<Version> {
  return (await store.get(key(sort, partition)))?.version ?? 'absent'
}

/** Until no leaf waits for its place. */
export async function integrated(log: LogStore): Promise<void> {
  for (let round = 0; round < 100; round++) if ((await log.integrate()).pending === 0) return
  throw new Error('leaves still wait after 100 rounds')
}

/** All leaves in their order. */
export async function all(log: LogStore): Promise<readonly (string | undefined)[]> {
  const read: (string | undefined)[] = []
  for (let from = 0n; from < (await log.size()); from += 256n)
    read.push(...(await log.leaves(from, 256)).map(text))
  return read
}

/** The order in which leaves have to stand that were committed in this one: another may be found where they wait for their places. */
export async function inOrder({ log, store }: Opened, names: readonly string[]): Promise<void> {
  const found = await all(log)
  expect(store.ordersOnCommit ? found : [...found].sort()).toEqual(
    store.ordersOnCommit ? names : [...names].sort(),
  )
}

/** Sort keys of a listing, in its order. */
export async function sorts(
  store: Store,
  prefix = '',
  after?: string,
  partition = 'p',
): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(partition, prefix, after)) found.push(key.sort)
  return found
}
