/** What the log's tests share: RFC 6962 written down literally, a log in memory, and helpers. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '../core/crypto.ts'
import { LogError } from '../core/error.ts'
import { leafHash } from '../core/log/leaf.ts'
import type { Integration, LogStore, Published, Tile } from '../core/ports/logstore.ts'

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** MTH of RFC 6962 section 2.1, as it is written there. */
export function referenceRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array())
  if (hashes.length === 1) return hashes[0]!
  const k = split(hashes.length)
  return node(referenceRoot(hashes.slice(0, k)), referenceRoot(hashes.slice(k)))
}

/** PATH of RFC 6962 section 2.1.1. */
export function referenceInclusion(m: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length === 1) return []
  const k = split(hashes.length)
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)]
  return m < k
    ? [...referenceInclusion(m, left), referenceRoot(right)]
    : [...referenceInclusion(m - k, right), referenceRoot(left)]
}

/** PROOF of RFC 6962 section 2.1.2, for 0 < m <= n. */
export function referenceConsistency(m: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  return subproof(m, hashes, true)
}
function subproof(m: number, hashes: readonly Uint8Array[], known: boolean): Uint8Array[] {
  if (m === hashes.length) return known ? [] : [referenceRoot(hashes)]
  const k = split(hashes.length)
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)]
  return m <= k
    ? [...subproof(m, left, known), referenceRoot(right)]
    : [...subproof(m - k, right, false), referenceRoot(left)]
}

const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1)
const node = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(Uint8Array.of(1, ...left, ...right))

/** `count` small leaves, and their hashes. */
export function sampleLeaves(count: number): { leaves: Uint8Array[]; hashes: Uint8Array[] } {
  const leaves = Array.from({ length: count }, (_, i) => utf8(`leaf ${i}`))
  return { leaves, hashes: leaves.map((leaf) => leafHash(leaf)) }
}

/** A log whose leaves the test pushes itself. Counts its reads. */
export class MemoryLog implements LogStore {
  readonly name = 'memory'
  readonly rows: Uint8Array[]
  readonly tiles: Map<string, Uint8Array> = new Map()
  note: Uint8Array | undefined
  leafReads = 0

  constructor(rows: Uint8Array[] = []) {
    this.rows = rows
  }
  async size(): Promise<bigint> {
    return BigInt(this.rows.length)
  }
  async leaves(from: bigint, count: number): Promise<readonly Uint8Array[]> {
    if (count < 1 || count > 256) throw new LogError('test', 'malformed', 'count is 1 to 256')
    this.leafReads += count
    return this.rows.slice(Number(from), Number(from) + count)
  }
  async indexOf(): Promise<bigint | undefined> {
    return undefined
  }
  async tile(level: number, index: bigint): Promise<Uint8Array | undefined> {
    return this.tiles.get(`${level}/${index}`)
  }
  async checkpoint(): Promise<Uint8Array | undefined> {
    return this.note
  }
  async publish({ tiles, checkpoint }: Published): Promise<void> {
    this.put(tiles)
    this.note = checkpoint.note
  }
  put(tiles: readonly Tile[]): void {
    for (const { level, index, hashes } of tiles) this.tiles.set(`${level}/${index}`, hashes)
  }
  async integrate(): Promise<Integration> {
    return { size: await this.size(), leads: true, pending: 0 }
  }
  async close(): Promise<void> {}
}

/** A key pair of 32 bytes `seed`. */
export function testSigner(seed: number): {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
} {
  const secret = new Uint8Array(32).fill(seed)
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: async (message) => ed25519.sign(message, secret),
  }
}

/** The code of the LogError that `work` throws, or `accepted`. Anything else thrown is a failure. */
export function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    if (error instanceof LogError) return error.code
    throw error
  }
}
