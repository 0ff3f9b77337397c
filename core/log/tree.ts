/**
 * The sealing side's tree: RFC 6962, append-only, in memory only the newest nodes of each level, so that root and proofs of recent
 * leaves are look-ups. Numbers inside (safe integers), bigint outside.
 *
 * @see RFC 6962 section 2.1; https://c2sp.org/tlog-tiles
 */
import { concatBytes, sha256 } from '../crypto.ts'
import { LogError } from '../error.ts'
import type { LogStore, Tile } from '../ports/logstore.ts'
import {
  deriveTile,
  HASH_BYTES,
  nodeHash,
  TILE_WIDTH,
  type TileSource,
  tileWidth,
} from './tiles.ts'

/** Leaves for which {@link Tree.inclusion} answers, at least. */
const WINDOW = 4096
/** Bits of a level of tiles. */
const TILE_BITS = 8

/** The newest complete nodes of one binary level; older ones are overwritten. */
class Level {
  readonly #hashes: Uint8Array
  readonly #capacity: number
  readonly #first: number
  /** Complete nodes so far. */
  count: number

  /** Nodes before `first` are not known. */
  constructor(level: number, first: number) {
    // A node's sibling may be one further back, and a full tile needs all of its nodes at once.
    const nodes = Math.ceil(WINDOW / 2 ** level) + 1
    this.#capacity = level % TILE_BITS === 0 ? Math.max(nodes, TILE_WIDTH) : nodes
    this.#hashes = new Uint8Array(this.#capacity * HASH_BYTES)
    this.#first = first
    this.count = first
  }

  push(hash: Uint8Array): void {
    this.#hashes.set(hash, (this.count % this.#capacity) * HASH_BYTES)
    this.count++
  }

  /** A copy, or undefined when it was overwritten or is not there yet. */
  get(index: number): Uint8Array | undefined {
    if (index >= this.count || index < Math.max(this.#first, this.count - this.#capacity))
      return undefined
    const at = (index % this.#capacity) * HASH_BYTES
    return this.#hashes.slice(at, at + HASH_BYTES)
  }
}

interface Node {
  readonly index: number
  readonly hash: Uint8Array
}

/** The incomplete nodes at the right edge, by level; undefined where the level's last node is complete. */
interface Edge {
  readonly nodes: readonly (Uint8Array | undefined)[]
  readonly root: Uint8Array
}

/** For one writer: whoever seals the log. */
export class Tree {
  readonly #levels: Level[] = []
  #full: Tile[] = []
  #edge: Edge | undefined

  /**
   * The tree over all leaves of `log`, from its full tiles and, where those are missing, its leaves. {@link takeFullTiles} then gives the
   * missing ones. The root is not checked: compare with the published checkpoint before anything is signed.
   *
   * @throws LogError `missing`: the store lacks a leaf that its size promises; StoreError
   */
  static async open(log: Pick<LogStore, 'leaves' | 'size' | 'tile'>): Promise<Tree> {
    const tree = new Tree()
    const size = await log.size()
    if (size > BigInt(Number.MAX_SAFE_INTEGER))
      throw new LogError('log/tree', 'too_large', 'a log has at most 2^53-1 leaves')
    tree.#full = await findMissing(log, size)
    for (let level = 0; size >> BigInt(TILE_BITS * level) > 0n; level++)
      tree.#fill(level, ...(await recentNodes(log, size, level)))
    return tree
  }

  get size(): bigint {
    return BigInt(this.#levels[0]?.count ?? 0)
  }

  append(leafHash: Uint8Array): void {
    this.#edge = undefined
    let hash = leafHash
    for (let level = 0; ; level++) {
      this.#levels[level] ??= new Level(level, 0)
      const nodes = this.#levels[level]!
      nodes.push(hash)
      if (level % TILE_BITS === 0 && nodes.count % TILE_WIDTH === 0)
        this.#completeTile(level, nodes)
      if (nodes.count % 2 === 1) return
      hash = nodeHash(nodes.get(nodes.count - 2)!, hash)
    }
  }

  /** SHA-256 of nothing for the empty tree. */
  root(): Uint8Array {
    this.#edge ??= this.#makeEdge()
    return this.#edge.root.slice()
  }

  /**
   * The inclusion proof of a leaf in the tree of the current size, from the leaf's sibling up. Undefined for a leaf that is not there, or
   * that is older than the window of at least 4,096: prove that one from tiles.
   */
  inclusion(index: bigint): readonly Uint8Array[] | undefined {
    return this.inclusions([index])[0]
  }

  /** {@link inclusion} of many leaves. Neighbours have most hashes in common, and one copy of such a hash is in all of these proofs. */
  inclusions(indexes: readonly bigint[]): readonly (readonly Uint8Array[] | undefined)[] {
    this.#edge ??= this.#makeEdge()
    const copied: Node[] = []
    return indexes.map((index) =>
      index < 0n || index >= this.size ? undefined : this.#inclusion(Number(index), copied),
    )
  }

  /** `copied` is the node of each level that was copied last. */
  #inclusion(index: number, copied: Node[]): Uint8Array[] | undefined {
    const proof: Uint8Array[] = []
    let at = index
    for (let last = Number(this.size) - 1, level = 0; last > 0; last = half(last), level++) {
      if (at % 2 === 1 || at < last) {
        const sibling = at % 2 === 1 ? at - 1 : at + 1
        if (copied[level]?.index !== sibling) {
          const hash = this.#levels[level]?.get(sibling) ?? this.#edgeNode(level, sibling)
          if (hash === undefined) return undefined
          copied[level] = { index: sibling, hash }
        }
        proof.push(copied[level]!.hash)
      }
      at = half(at)
    }
    return proof
  }

  /** The first `width` hashes of a tile that still lies in memory: the last of each level always does. */
  recentTile(level: number, index: bigint, width: number): Uint8Array | undefined {
    const nodes = this.#levels[TILE_BITS * level]
    const first = Number(index) * TILE_WIDTH
    const hashes = new Uint8Array(width * HASH_BYTES)
    for (let i = 0; i < width; i++) {
      const hash = nodes?.get(first + i)
      if (hash === undefined) return undefined
      hashes.set(hash, i * HASH_BYTES)
    }
    return hashes
  }

  /** Full tiles, of all levels, completed since the last call. Whoever takes them publishes them. */
  takeFullTiles(): Tile[] {
    const taken = this.#full
    this.#full = []
    return taken
  }

  #completeTile(level: number, nodes: Level): void {
    const tileLevel = level / TILE_BITS
    const index = BigInt(nodes.count / TILE_WIDTH - 1)
    this.#full.push({
      level: tileLevel,
      index,
      hashes: this.recentTile(tileLevel, index, TILE_WIDTH)!,
    })
  }

  #makeEdge(): Edge {
    const nodes: (Uint8Array | undefined)[] = []
    let right: Uint8Array | undefined
    for (const [level, { count }] of this.#levels.entries()) {
      nodes.push(right)
      if (count % 2 === 0) continue
      const last = this.#levels[level]!.get(count - 1)!
      right = right === undefined ? last : nodeHash(last, right)
    }
    return { nodes, root: right ?? EMPTY_ROOT }
  }

  #edgeNode(level: number, index: number): Uint8Array | undefined {
    return index === this.#levels[level]?.count ? this.#edge?.nodes[level]?.slice() : undefined
  }

  /** Takes over the newest nodes of a level of tiles, from node `from` on, and the nodes above them up to the next such level. */
  #fill(tileLevel: number, from: number, hashes: Uint8Array): void {
    let below = hashes
    for (let level = TILE_BITS * tileLevel, start = from; below.length > 0; level++, start /= 2) {
      const nodes = new Level(level, start)
      this.#levels[level] = nodes
      const above: Uint8Array[] = []
      for (let at = 0; at < below.length; at += HASH_BYTES) {
        const hash = below.subarray(at, at + HASH_BYTES)
        nodes.push(hash)
        if (nodes.count % 2 === 0) above.push(nodeHash(nodes.get(nodes.count - 2)!, hash))
      }
      if (level % TILE_BITS === TILE_BITS - 1) return
      below = concatBytes(above)
    }
  }
}

const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array())
const half = (n: number): number => (n - (n % 2)) / 2

/** Full tiles that were not published before a crash: the newest of each level, made again. */
async function findMissing(log: TileSource, size: bigint): Promise<Tile[]> {
  const missing: Tile[] = []
  for (let level = 0; tileWidth(size, level, 0n) === TILE_WIDTH; level++) {
    const full = size >> BigInt(TILE_BITS * (level + 1))
    let first = full
    while (first > 0n && (await log.tile(level, first - 1n)) === undefined) first--
    for (let index = first; index < full; index++) {
      const hashes = (await deriveTile(log, size, level, index, TILE_WIDTH))!
      missing.push({ level, index, hashes })
    }
  }
  return missing
}

/** The nodes that a {@link Tree} needs of one level of tiles: whole tiles, so that siblings of all binary levels are among them. */
async function recentNodes(
  log: TileSource,
  size: bigint,
  level: number,
): Promise<[from: number, hashes: Uint8Array]> {
  const count = Number(size >> BigInt(TILE_BITS * level))
  const keep = Math.ceil(WINDOW / TILE_WIDTH ** level) + 1
  const first = Math.max(0, Math.floor((count - keep) / TILE_WIDTH))
  const tiles: Promise<Uint8Array | undefined>[] = []
  // At once: where each read is a request, one after the other would be felt at every start.
  for (let index = BigInt(first); index * BigInt(TILE_WIDTH) < count; index++)
    tiles.push(deriveTile(log, size, level, index, tileWidth(size, level, index)))
  const read = await Promise.all(tiles)
  return [first * TILE_WIDTH, concatBytes(read.map((tile) => tile!))]
}
