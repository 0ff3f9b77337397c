/** The executable part of the Store and LogStore contracts: what every adapter refuses in the same words, so that an adapter is only its difference. */
import { sameBytes } from './crypto.ts'
import { LogError, StoreError } from './error.ts'
import { KeyMap } from './keymap.ts'
import { MAX_LEAF_BYTES } from './log/leaf.ts'
import { HASH_BYTES, TILE_WIDTH } from './log/tiles.ts'
import type { Published } from './ports/logstore.ts'
import type { Batch, Key, Store, Write } from './ports/store.ts'

export { MAX_LEAF_BYTES }

/** UTF-8 bytes of either part of a key. */
export const MAX_KEY_BYTES = 512
/** Leaves in one read: a tile's width. */
export const MAX_LEAVES: number = TILE_WIDTH
const TILE_BYTES = TILE_WIDTH * HASH_BYTES

/** @throws StoreError `invalid_key` */
export function checkKey(who: string, { partition, sort }: Key): void {
  if (!isKeyPart(partition) || !isKeyPart(sort)) throw invalidKey(who)
}

/** What a listing names; prefix and `after` may be empty. @throws StoreError `invalid_key` */
export function checkRange(who: string, partition: string, prefix: string, after = ''): void {
  const fits =
    isKeyPart(partition) && [prefix, after].every((part) => part === '' || isKeyPart(part))
  if (!fits) throw invalidKey(who)
}

function isKeyPart(part: unknown): boolean {
  if (typeof part !== 'string' || part === '' || part.length > MAX_KEY_BYTES) return false
  if (!part.isWellFormed() || part.includes('\0')) return false
  // A UTF-16 unit has at most three UTF-8 bytes.
  return part.length * 3 <= MAX_KEY_BYTES || encoder.encode(part).length <= MAX_KEY_BYTES
}
const encoder = new TextEncoder()

function invalidKey(who: string): StoreError {
  const what = `a key part is well-formed text of 1 to ${MAX_KEY_BYTES} UTF-8 bytes without U+0000`
  return new StoreError(who, 'invalid_key', what)
}

export function keyOf(write: Write): Key {
  return 'put' in write ? write.put : 'remove' in write ? write.remove : write.check
}

/** Almost every batch has a handful of writes: comparing them costs less than a map. */
const FEW = 16

function hasKeyTwice(writes: readonly Write[]): boolean {
  if (writes.length > FEW) {
    const keys = new KeyMap<true>()
    for (const write of writes) keys.set(keyOf(write), true)
    return keys.size < writes.length
  }
  for (let i = 1; i < writes.length; i++) {
    const { partition, sort } = keyOf(writes[i]!)
    for (let j = 0; j < i; j++) {
      const other = keyOf(writes[j]!)
      if (other.sort === sort && other.partition === partition) return true
    }
  }
  return false
}

/** What is wrong with a batch by itself, whatever the store holds. */
export function batchError(store: Store, batch: Batch): StoreError | undefined {
  const { name } = store
  if (batch.writes.length > store.maxBatch)
    return new StoreError(
      name,
      'batch_too_large',
      `at most ${store.maxBatch} writes; split the batch`,
    )
  for (const write of batch.writes) {
    const key = keyOf(write)
    if (!isKeyPart(key.partition) || !isKeyPart(key.sort)) return invalidKey(name)
    if ('put' in write && write.value.length > store.maxValueBytes)
      return new StoreError(name, 'too_large', `a value has at most ${store.maxValueBytes} bytes`)
  }
  if (hasKeyTwice(batch.writes))
    return new StoreError(
      name,
      'duplicate_key',
      'a key stands at most once in a batch; merge its writes',
    )
  const length = batch.leaf?.length ?? 1
  if (length < 1 || length > MAX_LEAF_BYTES)
    return new StoreError(name, 'too_large', `a leaf has 1 to ${MAX_LEAF_BYTES} bytes`)
  return undefined
}

/**
 * Refuses what may not be published over `newest` in a log of `size` leaves.
 *
 * @throws LogError `conflict`: another head was published; `missing`: the head is ahead of the leaves; `malformed`
 */
export function checkPublished(
  who: string,
  { checkpoint, tiles }: Published,
  size: bigint,
  newest: Published['checkpoint'] | undefined,
): void {
  const shaped = tiles.every(({ hashes }) => hashes.length === TILE_BYTES)
  if (!shaped || checkpoint.root.length !== HASH_BYTES)
    throw new LogError(who, 'malformed', 'a full tile has 8,192 bytes and a root has 32')
  if (checkpoint.size > size)
    throw new LogError(who, 'missing', `a head of ${checkpoint.size} over ${size} leaves`)
  if (!newest || checkpoint.size > newest.size) return
  if (checkpoint.size < newest.size || !sameBytes(checkpoint.root, newest.root))
    throw new LogError(
      who,
      'conflict',
      `the published head of ${newest.size} leaves says otherwise`,
    )
}

/** @throws RangeError outside of what {@link LogStore.leaves} promises */
export function checkLeafRange(from: bigint, count: number): void {
  if (from < 0n || !Number.isSafeInteger(count) || count < 1 || count > MAX_LEAVES)
    throw new RangeError(`leaves are read from index 0 on, 1 to ${MAX_LEAVES} at a time`)
}

/** Orders texts as their UTF-8 bytes do; JavaScript's own order puts U+1F600 before U+FF61. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // A surrogate pair is a code point above every other unit.
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1
    return x - y
  }
  return a.length - b.length
}
const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff
