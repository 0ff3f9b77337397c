import { beforeAll, describe, expect, it } from 'vitest'
import { MemoryLog, testSigner, utf8 } from '../../test/log.ts'
import { sha256Hex } from '../crypto.ts'
import { decisionId } from '../decision.ts'
import type { TrustAnchor } from './anchor.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { fsck, type Problem } from './fsck.ts'
import { encodeLeaf, leafHash } from './leaf.ts'
import { formatVkey, signNote } from './note.ts'
import { rootAt } from './proof.ts'
import type { LogReader } from './reader.ts'
import { logReader } from './reader.ts'
import { decodeEntries, encodeEntries } from './tiles.ts'
import { Tree } from './tree.ts'

const origin = 'log.example/fsck'
const { publicKey, sign } = testSigner(1)
const anchor: TrustAnchor = {
  type: 'assay.trust/v1',
  origin,
  keys: [{ vkey: formatVkey(origin, publicKey), from: '0' }],
}

const id = (n: number): string => sha256Hex(`decision ${n}`).slice(0, 32)
function leaf(n: number, decisionId = id(n)): Uint8Array {
  const counts = n % 10 === 9
  return utf8(
    counts
      ? encodeLeaf({ type: 'assay.counts/v1', kind: 'checks', from: n, to: n, counts: [] })
      : encodeLeaf({
          type: 'assay.decision/v1',
          id: decisionId,
          time: n,
          action: 'a',
          allow: true,
          reasons: [],
          policy: 'none',
          revision: 'none',
          commitments: {},
        }),
  )
}

async function served(rows: Uint8Array[], publish = true): Promise<LogReader> {
  const log = new MemoryLog(rows)
  const tree = new Tree()
  for (const row of rows) tree.append(leafHash(row))
  if (publish) log.put(tree.takeFullTiles())
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() })
  const note = await signNote(text, origin, publicKey, sign)
  return logReader(log, () => ({ size: tree.size, note }))
}

const codes = (problems: readonly Problem[]) =>
  problems.map(({ code, where }) => `${code} ${where}`)

/** `reader` with some answers replaced. */
function tampered(reader: LogReader, changes: Partial<LogReader>): LogReader {
  return { ...reader, ...changes }
}

describe('fsck', () => {
  const SIZE = 66_100
  let rows: Uint8Array[]
  let reader: LogReader
  beforeAll(async () => {
    rows = Array.from({ length: SIZE }, (_, n) => leaf(n))
    reader = await served(rows)
  })

  it.each([0, 1, 2, 255, 256, 257, 512, 700])('finds a log of %d sound', async (size) => {
    for (const publish of [true, false]) {
      const report = await fsck(await served(rows.slice(0, size), publish), anchor)
      expect(report).toMatchObject({ ok: true, problems: [], leaves: BigInt(size) })
      expect(report.head?.size).toBe(BigInt(size))
    }
  })

  it('finds a large log sound, with tiles of three levels, and counts', async () => {
    const seen: bigint[] = []
    const report = await fsck(reader, anchor, {
      onProgress: (done, size) => {
        expect(size).toBe(BigInt(SIZE))
        seen.push(done)
      },
    })
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ ok: true, decisions: BigInt(SIZE - SIZE / 10) })
    expect(report.tiles).toBe(258 + 1 + 1 + 1 + 1)
    expect(seen.length).toBe(259)
    expect(seen.at(-1)).toBe(BigInt(SIZE))
  })

  it('finds a changed entry, wherever it is', async () => {
    for (const [bundle, width] of [
      [0n, 256],
      [258n, 52],
    ] as const) {
      const changed = tampered(reader, {
        entries: async (index, w) => {
          const found = await reader.entries(index, w)
          if (index !== bundle || found === undefined) return found
          const entries = decodeEntries(found, width)
          return encodeEntries(entries.with(3, leaf(999_990)))
        },
      })
      const report = await fsck(changed, anchor)
      expect(report.ok).toBe(false)
      const found = codes(report.problems)
      expect(found).toContain('inconsistent root')
      expect(found.some((each) => each.startsWith('inconsistent tile/0/'))).toBe(true)
    }
  })

  it('finds a changed tile at any level, full or partial', async () => {
    for (const [level, index, name] of [
      [0, 7n, 'tile/0/007'],
      [0, 258n, 'tile/0/258.p/52'],
      [1, 0n, 'tile/1/000'],
      [1, 1n, 'tile/1/001.p/2'],
      [2, 0n, 'tile/2/000.p/1'],
    ] as const) {
      const changed = tampered(reader, {
        tile: async (l, i, width) => {
          const found = (await reader.tile(l, i, width))?.slice()
          if (l === level && i === index) found![5]! ^= 1
          return found
        },
      })
      expect(codes((await fsck(changed, anchor)).problems)).toEqual([`inconsistent ${name}`])
    }
  })

  it('finds what is not served', async () => {
    const noTile = tampered(reader, {
      tile: async (l, i, width) => (l === 1 && i === 0n ? undefined : reader.tile(l, i, width)),
    })
    expect(codes((await fsck(noTile, anchor)).problems)).toEqual(['missing tile/1/000'])
    const noBundle = tampered(reader, {
      entries: async (index, width) => (index === 3n ? undefined : reader.entries(index, width)),
    })
    expect(codes((await fsck(noBundle, anchor)).problems)).toEqual(['missing tile/entries/003'])
    const short = tampered(reader, {
      entries: async (index, width) => (await reader.entries(index, width))?.slice(0, -1),
    })
    expect(codes((await fsck(short, anchor)).problems)).toEqual(['malformed tile/entries/000'])
    const nothing = tampered(reader, { checkpoint: async () => undefined })
    expect(codes((await fsck(nothing, anchor)).problems)).toEqual(['missing checkpoint'])
  })

  it('falls back to full tiles and bundles where partial ones are gone', async () => {
    const small = await served(rows.slice(0, 300))
    const grown = await served(rows.slice(0, 512))
    const pruned: LogReader = {
      checkpoint: small.checkpoint,
      tile: async (level, index, width) =>
        width === 256 || level > 0 ? grown.tile(level, index, width) : undefined,
      entries: async (index, width) => (width === 256 ? grown.entries(index, width) : undefined),
    }
    expect((await fsck(pruned, anchor)).problems).toEqual([])
  })

  it('finds leaves that are none, and goes on', async () => {
    const strange = [leaf(0), utf8('{"type": "other"}'), leaf(2), new Uint8Array([255]), leaf(4)]
    const report = await fsck(await served(strange), anchor)
    expect(codes(report.problems)).toEqual(['malformed leaf 1', 'malformed leaf 3'])
    expect(report.leaves).toBe(5n)
  })

  it('finds decisions that are there twice', async () => {
    const twice = rows
      .slice(0, 5000)
      .with(4001, leaf(4001, id(2)))
      .with(4002, leaf(4002, id(4)))
    const { problems } = await fsck(await served(twice), anchor)
    expect(codes(problems).sort()).toEqual(
      [id(2), id(4)].map((each) => `duplicate_id decision …${each.slice(-16)}`).sort(),
    )
    const zero = '0'.repeat(32)
    const zeroes = [leaf(0, zero), leaf(1), leaf(2, zero)]
    expect((await fsck(await served(zeroes.slice(0, 2)), anchor)).problems).toEqual([])
    expect(codes((await fsck(await served(zeroes), anchor)).problems)).toEqual([
      `duplicate_id decision …${'0'.repeat(16)}`,
    ])
  })

  it('tells decisions of one millisecond apart: their ids begin alike, and end at random', async () => {
    const at = Array.from({ length: 5000 }, () => decisionId(1_790_000_000_000))
    const { problems } = await fsck(await served(at.map((id, i) => leaf(i, id))), anchor)
    expect(problems).toEqual([])
  })

  it('compares with a head that was known before', async () => {
    const log = new MemoryLog(rows)
    for (const size of [0n, 1n, 256n, 1000n]) {
      const root = await rootAt(log, size)
      const small = await served(rows.slice(0, 1000))
      expect((await fsck(small, anchor, { known: { size, root } })).problems).toEqual([])
      const other = { size, root: root.map((byte) => byte ^ 1) }
      const found = (await fsck(small, anchor, { known: other })).problems
      expect(codes(found)).toEqual(['inconsistent checkpoint'])
    }
    const root = await rootAt(log, 1001n)
    const rolledBack = await fsck(await served(rows.slice(0, 1000)), anchor, {
      known: { size: 1001n, root },
    })
    expect(codes(rolledBack.problems)).toEqual(['inconsistent checkpoint'])
  })

  it('trusts no other head', async () => {
    const small = await served(rows.slice(0, 3))
    const other = {
      ...anchor,
      keys: [{ vkey: formatVkey(origin, testSigner(2).publicKey), from: '0' }],
    }
    const report = await fsck(small, other)
    expect(report.head).toBeUndefined()
    expect(codes(report.problems)).toEqual(['untrusted_key checkpoint'])
    const forged = tampered(small, {
      checkpoint: async () => {
        const note = new TextDecoder().decode(await small.checkpoint())
        return utf8(note.replace('\n3\n', '\n2\n'))
      },
    })
    expect(codes((await fsck(forged, anchor)).problems)).toEqual(['signature_invalid checkpoint'])
  })

  it('ends at once on a head far beyond its leaves', async () => {
    const text = formatCheckpoint({ origin, size: 2n ** 62n, root: new Uint8Array(32) })
    const note = await signNote(text, origin, publicKey, sign)
    const small = await served(rows.slice(0, 256))
    const report = await fsck(tampered(small, { checkpoint: async () => note }), anchor)
    expect(codes(report.problems)).toEqual(['missing tile/entries/001'])
  })

  it('lists the first hundred problems', async () => {
    const rubbish = Array.from({ length: 300 }, (_, n) => utf8(`rubbish ${n}`))
    const report = await fsck(await served(rubbish), anchor)
    expect(report.problems.length).toBe(100)
    expect(report.leaves).toBe(300n)
  })

  it('passes on what the reader throws', async () => {
    const failure = new Error('connection lost')
    const broken = tampered(reader, { tile: () => Promise.reject(failure) })
    await expect(fsck(broken, anchor)).rejects.toBe(failure)
  })
})

describe('a change of the key', () => {
  const next = formatVkey(origin, testSigner(2).publicKey)
  const retired = formatVkey(origin, publicKey)
  const change = (lastTrustedSize: string): Uint8Array =>
    utf8(encodeLeaf({ type: 'assay.key/v1', time: 3, retired, next, lastTrustedSize }))
  const changed = async (lastTrustedSize = '4') =>
    served([leaf(0), leaf(1), leaf(2), change(lastTrustedSize)])
  const knowing = (to: string | undefined, from = '4'): TrustAnchor => ({
    ...anchor,
    keys: [
      { vkey: retired, from: '0', ...(to === undefined ? {} : { to }) },
      { vkey: next, from },
    ],
  })

  it('is sound where the anchor says the same', async () => {
    const report = await fsck(await changed(), knowing('4'))
    expect(report).toMatchObject({ ok: true, leaves: 4n, decisions: 3n })
  })

  it.each([
    ['does not know the next key', anchor],
    ['does not end the old one', knowing(undefined)],
    ['trusts the old one for longer', knowing('5')],
    ['begins the next one elsewhere', knowing('4', '3')],
  ])('is a problem where the anchor %s', async (_, trust) => {
    const report = await fsck(await changed(), trust)
    expect(codes(report.problems)).toEqual(['untrusted_key leaf 3'])
  })

  it('may end the old key earlier: it was compromised, or turned out to be', async () => {
    const both = await served([leaf(0), leaf(1), leaf(2), change('2'), leaf(4)])
    const report = await fsck(both, knowing('2'))
    // The head of five leaves is signed by the old key, which does not count for it any more.
    expect(codes(report.problems)).toEqual(['untrusted_key checkpoint'])
    expect(await fsck(await changed('4'), knowing('4'))).toMatchObject({ ok: true })
  })
})
