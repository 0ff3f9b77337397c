import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf, MemoryLog, sampleLeaves, utf8 } from '../../test/log.ts'
import { logReader } from './reader.ts'
import {
  decodeEntries,
  deriveEntries,
  deriveTile,
  encodeEntries,
  formatTilePath,
  parseTilePath,
  subtreeHash,
  type TilePath,
  tileWidth,
} from './tiles.ts'
import { Tree } from './tree.ts'

const index = fc.oneof(fc.bigInt(0n, 10n ** 21n - 1n), fc.bigInt(0n, 2000n))
const width = fc.integer({ min: 1, max: 256 })
const path: fc.Arbitrary<TilePath> = fc.oneof(
  fc.record({ kind: fc.constant('entries' as const), index, width }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant('tile' as const), level: fc.integer({ min: 0, max: 63 }), index, width },
    { noNullPrototype: true },
  ),
)

describe('tile paths', () => {
  it('are those of the specification', () => {
    const tile = (level: number, index: bigint, width = 256) =>
      formatTilePath({ kind: 'tile', level, index, width })
    expect(tile(0, 1_234_067n)).toBe('tile/0/x001/x234/067')
    expect(tile(1, 5n, 17)).toBe('tile/1/005.p/17')
    expect(tile(63, 1000n)).toBe('tile/63/x001/000')
    expect(formatTilePath({ kind: 'entries', index: 273n, width: 112 })).toBe(
      'tile/entries/273.p/112',
    )
  })

  it('read back', () => {
    fc.assert(
      fc.property(path, (it) => {
        expect(parseTilePath(formatTilePath(it))).toEqual(it)
      }),
    )
  })

  it('have one spelling', () => {
    const spelling = fc.string({ unit: fc.constantFrom(...'tile/entrs0123x.p'), maxLength: 24 })
    const near = fc
      .tuple(path, fc.nat(), fc.constantFrom('', '0', 'x', '/', '1'))
      .map(([it, place, piece]) => {
        const text = formatTilePath(it)
        const at = place % (text.length + 1)
        return text.slice(0, at) + piece + text.slice(at + (place % 2))
      })
    fc.assert(
      fc.property(fc.oneof(spelling, near), (text) => {
        const parsed = parseTilePath(text)
        if (parsed !== undefined) expect(formatTilePath(parsed)).toBe(text)
      }),
      { numRuns: 3000 },
    )
    for (const text of [
      '',
      'tile/0/5',
      'tile/0/0005',
      'tile/00/005',
      'tile/64/005',
      'tile/-1/005',
      'tile/0/x000/005',
      'tile/0/001/005',
      'tile/0/x001/x005',
      'tile/0/x001x005',
      'tile/0/005.p/0',
      'tile/0/005.p/256',
      'tile/0/005.p/01',
      'tile/0/005.p/',
      'tile/0/005/',
      '/tile/0/005',
      'tile/0/005\n',
      'tile/Entries/005',
      'tile/0/X001/005',
      'tile/0/٠٠٥',
    ])
      expect(parseTilePath(text)).toBeUndefined()
  })

  it('widths follow from the size', () => {
    expect(tileWidth(256n, 0, 0n)).toBe(256)
    expect(tileWidth(256n, 1, 0n)).toBe(1)
    expect(tileWidth(256n, 0, 1n)).toBe(0)
    expect(tileWidth(70_000n, 0, 273n)).toBe(112)
    expect(tileWidth(70_000n, 1, 1n)).toBe(17)
    expect(tileWidth(70_000n, 2, 0n)).toBe(1)
    expect(tileWidth(70_000n, 3, 0n)).toBe(0)
    expect(tileWidth(0n, 0, 0n)).toBe(0)
  })
})

describe('entry bundles', () => {
  it('read back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 256 }), (entries) => {
        expect(decodeEntries(encodeEntries(entries), entries.length)).toEqual(entries)
      }),
    )
    const largest = new Uint8Array(65_535).fill(7)
    expect(decodeEntries(encodeEntries([largest]), 1)).toEqual([largest])
    expect(codeOf(() => encodeEntries([new Uint8Array(65_536)]))).toBe('too_large')
  })

  it('refuse other bytes', () => {
    const bundle = encodeEntries([utf8('one'), utf8('two')])
    for (const bad of [bundle.slice(0, -1), bundle.slice(0, 6), Uint8Array.of(...bundle, 0)])
      expect(codeOf(() => decodeEntries(bad, 2))).toBe('malformed')
    for (const count of [0, 1, 3])
      expect(codeOf(() => decodeEntries(bundle, count))).toBe('malformed')
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 5 }), (bytes, count) => {
        if (codeOf(() => decodeEntries(bytes, count)) === 'accepted')
          expect(encodeEntries(decodeEntries(bytes, count))).toEqual(bytes)
      }),
    )
  })
})

describe('derived tiles', async () => {
  const { leaves, hashes } = sampleLeaves(66_100)
  const tree = new Tree()
  for (const hash of hashes) tree.append(hash)
  const tiles = tree.takeFullTiles()

  it('are the same with and without published ones', async () => {
    const [empty, full] = [new MemoryLog(leaves), new MemoryLog(leaves)]
    full.put(tiles)
    for (const [level, index, width] of [
      [0, 0n, 256],
      [0, 0n, 3],
      [0, 258n, 52],
      [1, 0n, 256],
      [1, 1n, 2],
      [2, 0n, 1],
    ] as const) {
      const derived = await deriveTile(empty, 66_100n, level, index, width)
      expect(derived?.length).toBe(width * 32)
      expect(await deriveTile(full, 66_100n, level, index, width)).toEqual(derived)
    }
    const [first] = [await deriveTile(empty, 66_100n, 0, 0n, 256)]
    const above = await deriveTile(empty, 66_100n, 1, 0n, 1)
    expect(above).toEqual(subtreeHash(first!))
  })

  it('end at the published size', async () => {
    const log = new MemoryLog(leaves)
    for (const [size, level, index, width] of [
      [300n, 0, 1n, 45],
      [300n, 0, 2n, 1],
      [300n, 1, 0n, 2],
      [300n, 2, 0n, 1],
      [255n, 0, 0n, 256],
      [0n, 0, 0n, 1],
      [300n, 0, 0n, 0],
      [300n, 0, 0n, -1],
    ] as const) {
      expect(await deriveTile(log, size, level, index, width)).toBeUndefined()
      if (level === 0) expect(await deriveEntries(log, size, index, width)).toBeUndefined()
    }
    expect(await deriveTile(log, 300n, 0, 1n, 44)).toBeDefined()
  })

  it('say which leaf is missing', async () => {
    const log = new MemoryLog(leaves.slice(0, 10))
    await expect(deriveTile(log, 11n, 0, 0n, 11)).rejects.toMatchObject({ code: 'missing' })
    await expect(deriveEntries(log, 11n, 0n, 11)).rejects.toMatchObject({ code: 'missing' })
  })

  it('are shown up to the head, and no further', async () => {
    let head: { size: bigint; note: Uint8Array } | undefined
    const reader = logReader(new MemoryLog(leaves), () => head)
    expect(await reader.checkpoint()).toBeUndefined()
    expect(await reader.tile(0, 0n, 1)).toBeUndefined()
    head = { size: 257n, note: utf8('note') }
    expect(await reader.checkpoint()).toEqual(utf8('note'))
    expect(await reader.tile(0, 1n, 1)).toEqual(hashes[256])
    expect(await reader.tile(0, 1n, 2)).toBeUndefined()
    expect(decodeEntries((await reader.entries(1n, 1))!, 1)).toEqual([leaves[256]])
    expect(await reader.entries(1n, 2)).toBeUndefined()
  })
})
