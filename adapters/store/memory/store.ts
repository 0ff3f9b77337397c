/** The records of the memory store: one ordered map a partition. */
import { StoreError } from '../../../core/error.ts'
import type { Batch, Key, Outcome, Store, Stored, Write } from '../../../core/ports/store.ts'
import { batchError, checkKey, checkRange, compareUtf8, keyOf } from '../../../core/storage.ts'

interface Row {
  readonly value: Uint8Array
  readonly version: string
}
/** `sorted` is the keys in UTF-8 byte order, made again after one was added or removed. */
interface Partition {
  readonly rows: Map<string, Row>
  sorted: readonly string[] | undefined
}

export class MemoryStore implements Store {
  readonly name = 'store/memory'
  readonly durable = false
  readonly ordersOnCommit = true
  readonly maxBatch = 1000
  readonly maxValueBytes = 1_048_576
  readonly #partitions = new Map<string, Partition>()
  readonly #append: (leaf: Uint8Array) => bigint
  #versions = 0
  #closed = false

  constructor(append: (leaf: Uint8Array) => bigint) {
    this.#append = append
  }

  async get(key: Key): Promise<Stored | undefined> {
    this.#assertOpen()
    checkKey(this.name, key)
    const row = this.#row(key)
    return row && stored(key, row)
  }

  async *list(partition: string, prefix: string, after?: string): AsyncIterable<Stored> {
    this.#assertOpen()
    checkRange(this.name, partition, prefix, after)
    for (const sort of this.#sorted(partition)) {
      if (!sort.startsWith(prefix)) continue
      if (after !== undefined && compareUtf8(sort, after) <= 0) continue
      this.#assertOpen()
      const key = { partition, sort }
      const row = this.#row(key)
      if (row) yield stored(key, row)
    }
  }

  async commit(batches: readonly Batch[]): Promise<readonly Outcome[]> {
    this.#assertOpen()
    return batches.map((batch) => this.#apply(batch))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#partitions.clear()
  }

  #apply(batch: Batch): Outcome {
    const error = batchError(this, batch)
    if (error) return { error }
    const lost = batch.writes.find((write) => this.#version(keyOf(write)) !== write.if)
    if (lost) return { conflict: { ...keyOf(lost) } }
    for (const write of batch.writes) this.#write(write)
    return batch.leaf ? { index: this.#append(batch.leaf) } : {}
  }

  #write(write: Write): void {
    if ('check' in write) return
    const { partition, sort } = keyOf(write)
    const { rows } = this.#touch(partition, write.if === 'absent' || 'remove' in write)
    if ('remove' in write) rows.delete(sort)
    else {
      this.#versions += 1
      rows.set(sort, { value: new Uint8Array(write.value), version: String(this.#versions) })
    }
  }

  #touch(name: string, keysChange: boolean): Partition {
    const partition = this.#partitions.get(name) ?? { rows: new Map(), sorted: undefined }
    this.#partitions.set(name, partition)
    if (keysChange) partition.sorted = undefined
    return partition
  }

  #sorted(name: string): readonly string[] {
    const partition = this.#partitions.get(name)
    if (!partition) return []
    partition.sorted ??= [...partition.rows.keys()].sort(compareUtf8)
    return partition.sorted
  }

  #row({ partition, sort }: Key): Row | undefined {
    return this.#partitions.get(partition)?.rows.get(sort)
  }

  #version(key: Key): string {
    return this.#row(key)?.version ?? 'absent'
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new StoreError(this.name, 'closed', 'the store was closed; open a new one')
  }
}

function stored({ partition, sort }: Key, { value, version }: Row): Stored {
  return { key: { partition, sort }, value: value.slice(), version }
}
