/**
 * Verifies a whole log from outside, with nothing but a trust anchor: every leaf, every tile at every level, the root and its signature.
 * Memory: about 40 bytes a decision, for its id, and less than 4 MiB besides.
 *
 * @see https://c2sp.org/tlog-tiles; RFC 6962 section 2.1
 */
import { fromHex, randomBytes } from '../crypto.ts'
import { LogError, type LogErrorCode } from '../error.ts'
import type { LogReader } from '../kernel.ts'
import { type TrustAnchor, verifyHead } from './anchor.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decodeLeaf, leafHash } from './leaf.ts'
import { equal } from './proof.ts'
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
  /** `checkpoint`, `root`, `leaf <index>` or a tile's path. */
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
  const check = new Fsck(reader, options)
  const note = await reader.checkpoint()
  const head = check.head(note, anchor)
  if (head !== undefined) await check.all(head)
  return check.report(head)
}

class Fsck {
  readonly #reader: LogReader
  readonly #options: FsckOptions
  readonly #problems: Problem[] = []
  readonly #tree = new Tree()
  readonly #ids = new IdSet()
  #decisions = 0n
  #tiles = 0

  constructor(reader: LogReader, options: FsckOptions) {
    this.#reader = reader
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

  head(note: Uint8Array | undefined, anchor: TrustAnchor): Checkpoint | undefined {
    if (note === undefined) return this.#found('missing', 'checkpoint', 'the log has none')
    return this.#try('checkpoint', () => verifyHead(note, anchor))
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
    if (!equal(this.#tree.root(), head.root))
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
    if (leaf?.type !== 'assay.decision/v1') return
    this.#decisions++
    if (!this.#ids.add(fromHex(leaf.id)!))
      this.#found('duplicate_id', where, 'an earlier decision has the same id')
  }

  async #tile(level: number, index: bigint, expected: Uint8Array): Promise<void> {
    const width = expected.length / HASH_BYTES
    const where = formatTilePath({ kind: 'tile', level, index, width })
    const exact = await this.#reader.tile(level, index, width)
    const served =
      exact ?? (width < TILE_WIDTH ? await this.#reader.tile(level, index, TILE_WIDTH) : undefined)
    this.#tiles++
    if (served === undefined) this.#found('missing', where, 'the log does not serve it')
    else if (!equal(exact ?? served.subarray(0, expected.length), expected))
      this.#found('inconsistent', where, 'the leaves below lead to other hashes')
  }

  #compareKnown(): void {
    const { known } = this.#options
    if (known?.size === this.#tree.size && !equal(known.root, this.#tree.root()))
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

const WORDS = 4

/** Decision ids of 16 bytes: an open-addressing table, since a Set takes five times the memory and ends at 2^24. */
class IdSet {
  #table = new Uint32Array(1024 * WORDS)
  #count = 0
  /** An empty slot is all zero, so this one id has a place of its own. */
  #zero = false
  /** Whoever wrote the log must not be able to choose ids that collide here. */
  readonly #seed = wordsOf(randomBytes(16))

  /** False when it was there already. */
  add(id: Uint8Array): boolean {
    const words = wordsOf(id)
    if (isZero(words)) {
      const known = this.#zero
      this.#zero = true
      return !known
    }
    if (this.#count * WORDS * 4 >= this.#table.length * 3) this.#grow()
    const at = this.#find(words)
    if (!isZero(this.#table.subarray(at, at + WORDS))) return false
    this.#table.set(words, at)
    this.#count++
    return true
  }

  /** Where the id is, or the empty slot for it. */
  #find(words: Uint32Array): number {
    let hash = 0
    words.forEach((word, i) => {
      hash = Math.imul(hash ^ word ^ this.#seed[i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    })
    const slots = this.#table.length / WORDS
    for (let slot = (hash >>> 0) % slots; ; slot = (slot + 1) % slots) {
      const found = this.#table.subarray(slot * WORDS, slot * WORDS + WORDS)
      if (isZero(found) || found.every((word, i) => word === words[i])) return slot * WORDS
    }
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(2 * old.length)
    for (let at = 0; at < old.length; at += WORDS) {
      const words = old.subarray(at, at + WORDS)
      if (!isZero(words)) this.#table.set(words, this.#find(words))
    }
  }
}

const isZero = (words: Uint32Array): boolean => words.every((word) => word === 0)

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12))
}
