import type { StoreError } from '../error.ts'

/** A record's address. Both parts are well-formed UTF-16, 1 to 512 UTF-8 bytes, without U+0000. */
export interface Key {
  readonly partition: string
  readonly sort: string
}

/** Opaque; unique over the life of a store, so that a removed and re-created record never matches an old version. */
export type Version = string & { readonly version?: never }

/** The bytes are the caller's own copy. */
export interface Stored {
  readonly key: Key
  readonly value: Uint8Array
  readonly version: Version
}

/** There is no unconditional write: a writer names the version that it read, or that it found nothing. */
export type Write =
  | { readonly put: Key; readonly value: Uint8Array; readonly if: Version | 'absent' }
  | { readonly remove: Key; readonly if: Version }
  | { readonly check: Key; readonly if: Version | 'absent' }

/** All of it or none of it. A key stands at most once in a batch. `leaf` is 1 to 65,535 bytes. */
export interface Batch {
  readonly writes: readonly Write[]
  readonly leaf?: Uint8Array
}

/**
 * `index`: committed; the leaf's place in the log where the store {@link Store.ordersOnCommit} and the batch had a leaf.
 * `conflict`: the named key was not at the version asked for; nothing of this batch was written.
 * `error`: this batch alone is at fault (too large, a key twice), or the machinery failed for it and not for all of the call; nothing of it was
 * written, but for `unknown_outcome`: then it may have been.
 */
export type Outcome =
  | { readonly index?: bigint }
  | { readonly conflict: Key }
  | { readonly error: StoreError }

/**
 * Atomic conditional batches over ordered partitions: the one primitive that sqlite, DynamoDB and memory all have natively.
 *
 * Every method throws {@link StoreError} `closed` after {@link close}. A machinery failure of {@link commit} rejects the whole call:
 * then nothing was committed (`unavailable`, `full`, `read_only`, `corrupt`) or it is not known (`unknown_outcome`).
 * There is no TTL: expiry is compared with `now` in Rego.
 */
export interface Store {
  readonly name: string
  /** False: acknowledged commits may be lost with the process. No audit log belongs on such a store, tests apart. */
  readonly durable: boolean
  /** True: a committed leaf has its index at once. */
  readonly ordersOnCommit: boolean
  /** Writes (checks included) in one batch. */
  readonly maxBatch: number
  readonly maxValueBytes: number
  /** Sees every commit that has returned. */
  get(key: Key): Promise<Stored | undefined>
  /** One partition, sort keys that start with `prefix` and come after `after`, in UTF-8 byte order, complete across pages. */
  list(partition: string, prefix: string, after?: string): AsyncIterable<Stored>
  /** Each batch is atomic and independent, in the order given; one durable write for all. Answers one outcome a batch, in order. */
  commit(batches: readonly Batch[]): Promise<readonly Outcome[]>
  close(): Promise<void>
}
