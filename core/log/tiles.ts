/**
 * Tiles and entry bundles: where they lie and what they hold. Leaf rows and full tiles are stored; everything else is derived from them.
 *
 * @see https://c2sp.org/tlog-tiles; RFC 6962 section 2.1 for the hashes
 */
import { sha256 } from '../crypto.ts'
import { LogError } from '../error.ts'
import type { LogStore } from '../ports/logstore.ts'
import { leafHash, MAX_LEAF_BYTES } from './leaf.ts'

export const HASH_BYTES = 32
/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256

const pair = new Uint8Array(1 + 2 * HASH_BYTES)
pair[0] = 1

/** RFC 6962's node hash. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1)
  pair.set(right, 1 + HASH_BYTES)
  return sha256(pair)
}

/** The root of a full subtree; `hashes`: its nodes concatenated, a power of two of them. */
export function subtreeHash(hashes: Uint8Array): Uint8Array {
  if (hashes.length === HASH_BYTES) return hashes.slice()
  const middle = hashes.length / 2
  return nodeHash(subtreeHash(hashes.subarray(0, middle)), subtreeHash(hashes.subarray(middle)))
}

/** What a path under the log's prefix names. `width` 256 is the full one. */
export type TilePath =
  | { readonly kind: 'entries'; readonly index: bigint; readonly width: number }
  | {
      readonly kind: 'tile'
      readonly level: number
      readonly index: bigint
      readonly width: number
    }

/** `tile/<level>/<index>[.p/<width>]`, or with `entries` for the level. */
export function formatTilePath(path: TilePath): string {
  const digits = path.index.toString()
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/[0-9]{3}/g) ?? []
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  const suffix = path.width === TILE_WIDTH ? '' : `.p/${path.width}`
  return `tile/${path.kind === 'tile' ? path.level : 'entries'}/${name}${suffix}`
}

/** Undefined unless `text` is exactly what {@link formatTilePath} gives: answer 404. */
export function parseTilePath(text: string): TilePath | undefined {
  const match = TILE_PATH.exec(text)
  if (match === null) return undefined
  const [, level, name, width] = match as unknown as [string, string, string, string | undefined]
  const at = {
    index: BigInt(name.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  const path: TilePath =
    level === 'entries' ? { kind: 'entries', ...at } : { kind: 'tile', level: Number(level), ...at }
  // Leading zero groups and `.p/256` are other names for the same tile.
  return at.width <= TILE_WIDTH && formatTilePath(path) === text ? path : undefined
}
const TILE_PATH =
  /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,6}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** How many hashes of a tile a log of `size` has: 0 to 256. Entry bundles are as wide as tiles of level 0. */
export function tileWidth(size: bigint, level: number, index: bigint): number {
  const left = (size >> BigInt(8 * level)) - index * BigInt(TILE_WIDTH)
  return left <= 0n ? 0 : left >= TILE_WIDTH ? TILE_WIDTH : Number(left)
}

/** Each entry behind its length, two bytes big-endian. @throws LogError `too_large` */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > MAX_LEAF_BYTES)
      throw new LogError('log/tiles', 'too_large', `an entry has at most ${MAX_LEAF_BYTES} bytes`)
    bundle[at] = entry.length >> 8
    bundle[at + 1] = entry.length & 0xff
    bundle.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bundle
}

/** Exactly `width` entries, as views of `bundle`. @throws LogError `malformed` */
export function decodeEntries(bundle: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bundle.length) {
    const start = at + 2
    at = start + ((bundle[at]! << 8) | (bundle[at + 1] ?? 0))
    // Also where only the first length byte is left: then `start` is beyond the end.
    if (start > bundle.length || at > bundle.length)
      throw new LogError('log/tiles', 'malformed', 'the entry bundle ends within an entry')
    entries.push(bundle.subarray(start, at))
  }
  if (entries.length !== width)
    throw new LogError('log/tiles', 'malformed', `${entries.length} entries instead of ${width}`)
  return entries
}

/** The stored truth that tiles derive from. */
export type TileSource = Pick<LogStore, 'leaves' | 'tile'>

/**
 * The first `width` hashes of a tile: as stored, or from the leaves and the full tiles below. Undefined when a log of `size` has fewer.
 *
 * @throws LogError `missing`: the store has no leaf that its size promises; StoreError
 */
export async function deriveTile(
  log: TileSource,
  size: bigint,
  level: number,
  index: bigint,
  width: number,
): Promise<Uint8Array | undefined> {
  if (width < 1 || width > tileWidth(size, level, index)) return undefined
  const stored =
    tileWidth(size, level, index) === TILE_WIDTH ? await log.tile(level, index) : undefined
  if (stored !== undefined) return stored.slice(0, width * HASH_BYTES)
  const hashes = new Uint8Array(width * HASH_BYTES)
  const first = index * BigInt(TILE_WIDTH)
  if (level === 0) {
    const leaves = await readLeaves(log, first, width)
    leaves.forEach((leaf, i) => void hashes.set(leafHash(leaf), i * HASH_BYTES))
    return hashes
  }
  for (let i = 0; i < width; i++)
    hashes.set(await tileRoot(log, size, level - 1, first + BigInt(i)), i * HASH_BYTES)
  return hashes
}

/** Roots of full tiles, by log: they never change, and a partial tile above needs up to 255 of them again and again. */
const rootsOf: WeakMap<TileSource, Map<string, Uint8Array>> = new WeakMap()
const MAX_ROOTS = 4096

async function tileRoot(
  log: TileSource,
  size: bigint,
  level: number,
  index: bigint,
): Promise<Uint8Array> {
  let roots = rootsOf.get(log)
  if (roots === undefined || roots.size >= MAX_ROOTS) {
    roots = new Map()
    rootsOf.set(log, roots)
  }
  const name = `${level}/${index}`
  const known = roots.get(name)
  if (known !== undefined) return known
  const root = subtreeHash((await deriveTile(log, size, level, index, TILE_WIDTH))!)
  roots.set(name, root)
  return root
}

/** The first `width` entries of a bundle. Undefined when a log of `size` has fewer. @throws LogError `missing`; StoreError */
export async function deriveEntries(
  log: TileSource,
  size: bigint,
  index: bigint,
  width: number,
): Promise<Uint8Array | undefined> {
  if (width < 1 || width > tileWidth(size, 0, index)) return undefined
  return encodeEntries(await readLeaves(log, index * BigInt(TILE_WIDTH), width))
}

/** A store may answer with fewer at a time. */
async function readLeaves(log: TileSource, from: bigint, count: number): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = []
  while (leaves.length < count) {
    const more = await log.leaves(from + BigInt(leaves.length), count - leaves.length)
    if (more.length === 0)
      throw new LogError(
        'log/tiles',
        'missing',
        `leaf ${from + BigInt(leaves.length)} is not there; restore the store from a backup`,
      )
    leaves.push(...more)
  }
  return leaves
}
