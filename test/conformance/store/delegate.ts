/** A store and a log of which a test replaces single calls: every call of a plain object goes to the real one. */
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Store } from '../../../core/ports/store.ts'

export function storeWith(store: Store, changes: Partial<Store>): Store {
  const { name, durable, ordersOnCommit, maxBatch, maxValueBytes } = store
  return {
    ...{ name, durable, ordersOnCommit, maxBatch, maxValueBytes },
    get: (key) => store.get(key),
    list: (partition, prefix, after) => store.list(partition, prefix, after),
    commit: (batches) => store.commit(batches),
    close: () => store.close(),
    ...changes,
  }
}

export function logWith(log: LogStore, changes: Partial<LogStore>): LogStore {
  return {
    name: log.name,
    size: () => log.size(),
    leaves: (from, count) => log.leaves(from, count),
    indexOf: (hash) => log.indexOf(hash),
    tile: (level, index) => log.tile(level, index),
    checkpoint: () => log.checkpoint(),
    publish: (published) => log.publish(published),
    integrate: () => log.integrate(),
    close: () => log.close(),
    ...changes,
  }
}
