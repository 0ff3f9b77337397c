/**
 * Inclusion and consistency proofs: made from tiles, verified from nothing but hashes.
 *
 * @see RFC 6962 sections 2.1.1 and 2.1.2; RFC 9162 section 2.1.3.2 and 2.1.4.2 for verification
 */
import { sameBytes, sha256 } from '../crypto.ts'
import { LogError } from '../error.ts'
import {
  deriveTile,
  HASH_BYTES,
  nodeHash,
  subtreeHash,
  TILE_WIDTH,
  type TileSource,
  tileWidth,
} from './tiles.ts'

/** The root of the log's first `size` leaves. @throws LogError `missing`; StoreError */
export async function rootAt(log: TileSource, size: bigint): Promise<Uint8Array> {
  return size === 0n ? sha256(new Uint8Array()) : new Nodes(log, size).root(0n, size)
}

/** From the leaf's sibling up. @throws LogError `missing`: `index` is not below `size`, or the store lacks leaves; StoreError */
export async function inclusionProof(
  log: TileSource,
  index: bigint,
  size: bigint,
): Promise<Uint8Array[]> {
  if (index < 0n || index >= size)
    throw new LogError('log/proof', 'missing', `leaf ${index} is not in a log of ${size}`)
  const nodes = new Nodes(log, size)
  const proof: Uint8Array[] = []
  for (let from = 0n, to = size; to - from > 1n; ) {
    const middle = from + split(to - from)
    const left = index < middle
    proof.push(left ? await nodes.root(middle, to) : await nodes.root(from, middle))
    if (left) to = middle
    else from = middle
  }
  return proof.reverse()
}

/** That the log of `newSize` begins with that of `oldSize`. @throws LogError `missing`: no such sizes, or the store lacks leaves */
export async function consistencyProof(
  log: TileSource,
  oldSize: bigint,
  newSize: bigint,
): Promise<Uint8Array[]> {
  if (oldSize < 0n || oldSize > newSize)
    throw new LogError('log/proof', 'missing', `a log of ${newSize} has no first ${oldSize} leaves`)
  if (oldSize === 0n) return []
  const nodes = new Nodes(log, newSize)
  const proof: Uint8Array[] = []
  let [from, to] = [0n, newSize]
  while (oldSize < to) {
    const middle = from + split(to - from)
    const left = oldSize <= middle
    proof.push(left ? await nodes.root(middle, to) : await nodes.root(from, middle))
    if (left) to = middle
    else from = middle
  }
  // A verifier has the old root, and with it this node where it is the whole old tree.
  if (from > 0n) proof.push(await nodes.root(from, to))
  return proof.reverse()
}

/** The largest power of two below `n`, for `n` above 1. */
function split(n: bigint): bigint {
  return 1n << BigInt((n - 1n).toString(2).length - 1)
}

/** Hashes of ranges of leaves; reads each tile once. */
class Nodes {
  readonly #log: TileSource
  readonly #size: bigint
  readonly #tiles = new Map<string, Uint8Array>()

  constructor(log: TileSource, size: bigint) {
    this.#log = log
    this.#size = size
  }

  /** `from` is a multiple of the least power of two that is not below `to - from`. */
  async root(from: bigint, to: bigint): Promise<Uint8Array> {
    const count = to - from
    if (count > 1n && split(count) * 2n !== count) {
      const middle = from + split(count)
      return nodeHash(await this.root(from, middle), await this.root(middle, to))
    }
    const level = count.toString(2).length - 1
    return this.#complete(level, from / count)
  }

  /** A node of binary `level`: within a tile at the multiple of eight below. */
  async #complete(level: number, index: bigint): Promise<Uint8Array> {
    const width = 2 ** (level % 8)
    const first = index * BigInt(width)
    const tile = await this.#tile(Math.floor(level / 8), first / BigInt(TILE_WIDTH))
    const at = Number(first % BigInt(TILE_WIDTH)) * HASH_BYTES
    return subtreeHash(tile.subarray(at, at + width * HASH_BYTES))
  }

  async #tile(level: number, index: bigint): Promise<Uint8Array> {
    const name = `${level}/${index}`
    let tile = this.#tiles.get(name)
    if (tile === undefined) {
      const width = tileWidth(this.#size, level, index)
      tile = (await deriveTile(this.#log, this.#size, level, index, width))!
      this.#tiles.set(name, tile)
    }
    return tile
  }
}

/** Whether `path` leads from the leaf at `index` to the root of a tree of `size`. Left-over and missing hashes are refused. */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: bigint,
  size: bigint,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index < 0n || index >= size || !areHashes([leafHash, ...path])) return false
  let [at, last, hash] = [index, size - 1n, leafHash]
  for (const sibling of path) {
    if (last === 0n) return false
    if (at % 2n === 1n || at === last) {
      hash = nodeHash(sibling, hash)
      // Levels at which the right edge has no sibling: its hash goes up as it is.
      while (at % 2n === 0n) [at, last] = [at / 2n, last / 2n]
    } else hash = nodeHash(hash, sibling)
    ;[at, last] = [at / 2n, last / 2n]
  }
  return last === 0n && sameBytes(hash, root)
}

/** Whether the tree of `newSize` under `newRoot` begins with that of `oldSize` under `oldRoot`. */
export function verifyConsistency(
  oldSize: bigint,
  oldRoot: Uint8Array,
  newSize: bigint,
  newRoot: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (oldSize < 0n || oldSize > newSize || !areHashes([oldRoot, ...path])) return false
  if (oldSize === newSize) return path.length === 0 && sameBytes(oldRoot, newRoot)
  if (oldSize === 0n) return path.length === 0 && sameBytes(oldRoot, sha256(new Uint8Array()))
  let [at, last] = [oldSize - 1n, newSize - 1n]
  while (at % 2n === 1n) [at, last] = [at / 2n, last / 2n]
  // An old size that is a power of two is a node of the new tree, and not in the proof.
  const [first, ...rest] = at === 0n ? [oldRoot, ...path] : path
  if (first === undefined) return false
  let [oldHash, newHash] = [first, first]
  for (const sibling of rest) {
    if (last === 0n) return false
    if (at % 2n === 1n || at === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n]
    } else newHash = nodeHash(newHash, sibling)
    ;[at, last] = [at / 2n, last / 2n]
  }
  return last === 0n && sameBytes(oldHash, oldRoot) && sameBytes(newHash, newRoot)
}

const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every((hash) => hash.length === HASH_BYTES)
