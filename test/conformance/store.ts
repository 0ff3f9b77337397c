/** The laws of the Store port, and how an adapter says that it keeps them. */

import { type Law, registerLaws } from './laws.ts'
import { logstoreLaws } from './logstore.ts'
import { batchLaws } from './store/batches.ts'
import { limitLaws } from './store/limits.ts'
import { listLaws } from './store/lists.ts'
import { recordLaws } from './store/records.ts'
import type { StoreSubject } from './store/subject.ts'

export type { Opened, StoreSubject } from './store/subject.ts'

export const storeLaws: readonly Law<StoreSubject>[] = [
  ...recordLaws,
  ...batchLaws,
  ...listLaws,
  ...limitLaws,
]

/** Every law of a store, and of the log that it is paired with. */
export function storeConformance(subject: StoreSubject): void {
  registerLaws('store', storeLaws, subject)
  registerLaws('logstore', logstoreLaws, subject)
}
