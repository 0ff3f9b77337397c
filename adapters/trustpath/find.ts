/** The decision behind a record, found in the log by what it was asked and what it answered. */
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { type Opened, opened } from './opened.ts'
import { decisionsIn, type ScanOptions } from './scan.ts'

export interface FindPorts {
  readonly store: Store
  readonly log: LogStore
}

/** The last allowed decision of one of `actions` that `fits`. Undefined too where it was erased. @throws StoreError, LogError */
export async function lastAllowed(
  { log, store }: FindPorts,
  actions: readonly string[],
  fits: (one: Opened) => boolean,
  options: ScanOptions = {},
): Promise<Opened | undefined> {
  let last: Opened | undefined
  for await (const logged of decisionsIn(log, (action) => actions.includes(action), options)) {
    if (!logged.leaf.allow) continue
    const one = await opened(store, logged)
    if (one.state === 'open' && fits(one)) last = one
  }
  return last
}
