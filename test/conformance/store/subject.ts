/** What the laws of a store and of its log need of an adapter. */
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Key, Outcome, Store, Version, Write } from '../../../core/ports/store.ts'
import { bytes } from '../bytes.ts'
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
