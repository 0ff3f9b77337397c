/**
 * Verifies a whole log from outside, with nothing but a trust anchor: every leaf, every tile at every level, the root and its signature.
 * Memory: at most 24 bytes a decision, for its id, and less than 4 MiB besides.
 *
 * @see https://c2sp.org/tlog-tiles; RFC 6962 section 2.1
 */
import { sameBytes } from '../crypto.ts'
import { LogError, type LogErrorCode } from '../error.ts'
import { type TrustAnchor, verifyHead } from './anchor.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decodeLeaf, leafHash } from './leaf.ts'
import type { KeyLeaf } from './leaves.ts'
import type { LogReader } from './reader.ts'
import { decodeEntries, formatTilePath, HASH_BYTES, TILE_WIDTH, tileWidth } from './tiles.ts'
import { Tree } from './tree.ts'

export interface FsckOptions {
  /** Called once a bundle. */
  readonly onProgress?: (done: bigint, size: bigint) => void
  /** A head that was trusted before: the log must still begin with it. */
  readonly known?: { readonly size: bigint; readonly root: Uint8Array }
}

export interface Problem {
  readonly code: LogErrorCode | 'duplicate_id'
  /** `checkpoint`, `root`, `leaf <index>`, `decision <half an id>…` or a tile's path. */
  readonly where: string
  readonly detail: string
}

export interface FsckReport {
  readonly ok: boolean
  /** The signed head; unset when none could be trusted. */
  readonly head?: Checkpoint
  /** Leaves, and how many of them are decisions. */
  readonly leaves: bigint
  readonly decisions: bigint
  /** Full tiles and partial ones that were compared; entry bundles are not counted. */
  readonly tiles: number
  /** The first 100. */
  readonly problems: readonly Problem[]
}

const MAX_PROBLEMS = 100

/** Reports what is wrong with the log. @throws what the reader throws: then nothing is known */
export async function fsck(
  reader: LogReader,
  anchor: TrustAnchor,
  options: FsckOptions = {},
): Promise<FsckReport> {
  const check = new Fsck(reader, anchor, options)
  const note = await reader.checkpoint()
  const head = check.head(note)
  if (head !== undefined) await check.all(head)
  return check.report(head)
}

class Fsck {
  readonly #reader: LogReader
  readonly #anchor: TrustAnchor
  readonly #options: FsckOptions
  readonly #problems: Problem[] = []
  readonly #tree = new Tree()
  readonly #ids = new Ids()
  #decisions = 0n
  #tiles = 0

  constructor(reader: LogReader, anchor: TrustAnchor, options: FsckOptions) {
    this.#reader = reader
    this.#anchor = anchor
    this.#options = options
  }

  report(head: Checkpoint | undefined): FsckReport {
    return {
      ok: this.#problems.length === 0,
      ...(head && { head }),
      leaves: this.#tree.size,
      decisions: this.#decisions,
      tiles: this.#tiles,
      problems: this.#problems,
    }
  }

  head(note: Uint8Array | undefined): Checkpoint | undefined {
    if (note === undefined) return this.#found('missing', 'checkpoint', 'the log has none')
    return this.#try('checkpoint', () => verifyHead(note, this.#anchor))
  }

  async all(head: Checkpoint): Promise<void> {
    const { known, onProgress } = this.#options
    if (known !== undefined && known.size > head.size)
      this.#found('inconsistent', 'checkpoint', `smaller than the known head of ${known.size}`)
    this.#compareKnown()
    for (let index = 0n; this.#tree.size < head.size; index++) {
      if (!(await this.#bundle(head.size, index))) return
      for (const tile of this.#tree.takeFullTiles())
        await this.#tile(tile.level, tile.index, tile.hashes)
      onProgress?.(this.#tree.size, head.size)
    }
    for (let level = 0; head.size >> BigInt(8 * level) > 0n; level++) {
      const index = head.size >> BigInt(8 * level + 8)
      const width = tileWidth(head.size, level, index)
      if (width > 0) await this.#tile(level, index, this.#tree.recentTile(level, index, width)!)
    }
    for (const half of this.#ids.repeated())
      this.#found('duplicate_id', `decision …${half}`, 'another one has an id that ends like this')
    if (!sameBytes(this.#tree.root(), head.root))
      this.#found('inconsistent', 'root', 'the leaves lead to another root than the signed one')
  }

  /** False when the log cannot be read on. */
  async #bundle(size: bigint, index: bigint): Promise<boolean> {
    const width = tileWidth(size, 0, index)
    const where = formatTilePath({ kind: 'entries', index, width })
    const entries = await this.#entries(where, index, width)
    if (entries === undefined) return false
    for (const entry of entries) {
      this.#leaf(entry)
      this.#tree.append(leafHash(entry))
      this.#compareKnown()
    }
    return true
  }

  /** A log may drop a partial bundle once the full one is there. */
  async #entries(where: string, index: bigint, width: number): Promise<Uint8Array[] | undefined> {
    const exact = await this.#reader.entries(index, width)
    if (exact !== undefined) return this.#try(where, () => decodeEntries(exact, width))
    const full = width < TILE_WIDTH ? await this.#reader.entries(index, TILE_WIDTH) : undefined
    if (full === undefined) return this.#found('missing', where, 'the log does not serve it')
    return this.#try(where, () => decodeEntries(full, TILE_WIDTH).slice(0, width))
  }

  #leaf(entry: Uint8Array): void {
    const where = `leaf ${this.#tree.size}`
    const leaf = this.#try(where, () => decodeLeaf(entry))
    if (leaf?.type === 'assay.key/v1') this.#rotation(leaf, where)
    if (leaf?.type !== 'assay.decision/v1') return
    this.#decisions++
    this.#ids.add(leaf.id)
  }

  /** The anchor begins the next key where the log says so, and ends the other there or, once it turned out compromised, before. */
  #rotation({ lastTrustedSize, next, retired }: KeyLeaf, where: string): void {
    const size = (this.#tree.size + 1n).toString()
    const last = BigInt(lastTrustedSize)
    const { keys } = this.#anchor
    const agrees =
      keys.some(({ to, vkey }) => vkey === retired && to !== undefined && BigInt(to) <= last) &&
      keys.some(({ from, vkey }) => vkey === next && from === size)
    if (!agrees)
      this.#found('untrusted_key', where, 'the trust anchor does not know this change of keys')
  }

  async #tile(level: number, index: bigint, expected: Uint8Array): Promise<void> {
    const width = expected.length / HASH_BYTES
    const where = formatTilePath({ kind: 'tile', level, index, width })
    const exact = await this.#reader.tile(level, index, width)
    const served =
      exact ?? (width < TILE_WIDTH ? await this.#reader.tile(level, index, TILE_WIDTH) : undefined)
    this.#tiles++
    if (served === undefined) this.#found('missing', where, 'the log does not serve it')
    else if (!sameBytes(exact ?? served.subarray(0, expected.length), expected))
      this.#found('inconsistent', where, 'the leaves below lead to other hashes')
  }

  #compareKnown(): void {
    const { known } = this.#options
    if (known?.size === this.#tree.size && !sameBytes(known.root, this.#tree.root()))
      this.#found('inconsistent', 'checkpoint', `not the known head of ${known.size} any more`)
  }

  #try<T>(where: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      return this.#found(error.code, where, error.message)
    }
  }

  #found(code: Problem['code'], where: string, detail: string): undefined {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ code, where, detail })
  }
}

/** The last halves of decision ids: they are random, so no two decisions of a log share even that. The first ones begin with the time. */
class Ids {
  #halves = new BigUint64Array(1024)
  #count = 0

  add(id: string): void {
    if (this.#count === this.#halves.length) {
      const larger = new BigUint64Array(2 * this.#count)
      larger.set(this.#halves)
      this.#halves = larger
    }
    this.#halves[this.#count++] = BigInt(`0x${id.slice(-16)}`)
  }

  /** Ends the list: it is sorted in place. */
  *repeated(): Generator<string> {
    const sorted = this.#halves.subarray(0, this.#count).sort()
    for (let i = 1; i < sorted.length; i++)
      if (sorted[i] === sorted[i - 1]) yield sorted[i]!.toString(16).padStart(16, '0')
  }
}
