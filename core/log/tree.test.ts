import { describe, expect, it } from 'vitest'
import { MemoryLog, referenceInclusion, referenceRoot, sampleLeaves, utf8 } from '../../test/log.ts'
import { fromHex, sha256, toHex } from '../crypto.ts'
import { LogError } from '../error.ts'
import { leafHash } from './leaf.ts'
import { verifyInclusion } from './proof.ts'
import { deriveTile, nodeHash } from './tiles.ts'
import { Tree } from './tree.ts'

function grow(hashes: readonly Uint8Array[]): Tree {
  const tree = new Tree()
  for (const hash of hashes) tree.append(hash)
  return tree
}

describe('Tree', () => {
  it('has the roots of the eight-leaf set of Certificate Transparency', () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657']
    leaves.push('606162636465666768696a6b6c6d6e6f')
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const tree = new Tree()
    expect(toHex(tree.root())).toBe(toHex(sha256(new Uint8Array())))
    for (const [i, leaf] of leaves.entries()) {
      tree.append(leafHash(fromHex(leaf)!))
      expect(toHex(tree.root())).toBe(roots[i])
    }
  })

  it('proves every leaf at every size up to 130 as RFC 6962 says', () => {
    const { hashes } = sampleLeaves(130)
    const tree = new Tree()
    for (let n = 1; n <= 130; n++) {
      tree.append(hashes[n - 1]!)
      expect(tree.size).toBe(BigInt(n))
      expect(tree.root()).toEqual(referenceRoot(hashes.slice(0, n)))
      const proofs = Array.from({ length: n }, (_, i) => tree.inclusion(BigInt(i))!.map(toHex))
      const known = proofs.map((_, i) => referenceInclusion(i, hashes.slice(0, n)).map(toHex))
      expect(proofs).toEqual(known)
    }
    expect(tree.inclusion(130n)).toBeUndefined()
    expect(tree.inclusion(-1n)).toBeUndefined()
  })

  it('gives each full tile once', () => {
    const { hashes } = sampleLeaves(70_000)
    const tree = new Tree()
    const seen: string[] = []
    for (const hash of hashes) {
      tree.append(hash)
      for (const tile of tree.takeFullTiles()) {
        seen.push(`${tile.level}/${tile.index}`)
        expect(tile.hashes.length).toBe(8192)
        if (tile.level === 0) {
          const first = Number(tile.index) * 256
          expect(tile.hashes.subarray(0, 32)).toEqual(hashes[first])
          expect(tile.hashes.subarray(8160)).toEqual(hashes[first + 255])
        }
      }
    }
    expect(seen.length).toBe(273 + 1)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toContain('1/0')
    expect(tree.takeFullTiles()).toEqual([])
  })

  it('forgets old leaves but no recent one', () => {
    const { hashes } = sampleLeaves(9001)
    const tree = grow(hashes)
    const root = referenceRoot(hashes)
    for (const age of [1, 2, 255, 256, 257, 1023, 1024, 2048, 4095, 4096]) {
      const index = 9001 - age
      expect(tree.inclusion(BigInt(index))).toEqual(referenceInclusion(index, hashes))
    }
    expect(tree.inclusion(0n)).toBeUndefined()
    expect(tree.inclusion(4000n)).toBeUndefined()
    expect(tree.root()).toEqual(root)
  })

  it('gives away copies', () => {
    const { hashes } = sampleLeaves(3)
    const tree = grow(hashes)
    tree.root().fill(0)
    for (const hash of tree.inclusion(0n)!) hash.fill(0)
    for (const hash of tree.inclusion(2n)!) hash.fill(0)
    tree.recentTile(0, 0n, 3)!.fill(0)
    expect(tree.root()).toEqual(referenceRoot(hashes))
    expect(tree.inclusion(0n)).toEqual(referenceInclusion(0, hashes))
    expect(tree.inclusion(2n)).toEqual(referenceInclusion(2, hashes))
  })

  it('proves many leaves at once as it proves each, with the hashes in common there once', () => {
    const { hashes } = sampleLeaves(23)
    const tree = grow(hashes)
    const indexes = [...hashes.keys(), 5, 23].map(BigInt)
    const proofs = tree.inclusions(indexes)
    expect(proofs).toEqual(indexes.map((index) => tree.inclusion(index)))
    expect(proofs[23]).toEqual(referenceInclusion(5, hashes))
    expect(proofs[24]).toBeUndefined()
    expect(proofs[0]?.at(-1)).toBe(proofs[1]?.at(-1))
    expect(tree.inclusion(0n)?.at(-1)).not.toBe(proofs[0]?.at(-1))
  })

  it('keeps the last tile of each level', async () => {
    const { leaves, hashes } = sampleLeaves(66_000)
    const tree = grow(hashes)
    const log = new MemoryLog(leaves)
    for (const [level, index, width] of [
      [0, 257n, 208],
      [0, 256n, 256],
      [1, 1n, 1],
      [2, 0n, 1],
    ] as const)
      expect(tree.recentTile(level, index, width)).toEqual(
        await deriveTile(log, 66_000n, level, index, width),
      )
    expect(tree.recentTile(0, 257n, 209)).toBeUndefined()
    expect(tree.recentTile(0, 0n, 256)).toBeUndefined()
    expect(tree.recentTile(3, 0n, 1)).toBeUndefined()
  })
})

describe('Tree.open', () => {
  const sizes = [0, 1, 2, 255, 256, 257, 300, 511, 512, 4607, 4608, 4609, 6000, 65_536, 66_049]

  it.each(sizes)('goes on where %d leaves ended', async (size) => {
    const { leaves, hashes } = sampleLeaves(size + 300)
    const tree = grow(hashes.slice(0, size))
    const log = new MemoryLog(leaves.slice(0, size))
    log.put(tree.takeFullTiles())
    const opened = await Tree.open(log)
    expect(opened.takeFullTiles()).toEqual([])
    const recent = (n: number): number[] =>
      [n - 1, n - 2, n - 257, n - 1024, n - 4096].filter((i) => i >= 0)
    const proof = (of: Tree, i: number) => of.inclusion(BigInt(i))?.map(toHex).join()
    for (let n = size; n <= size + 300; n++) {
      if (n > size) {
        tree.append(hashes[n - 1]!)
        opened.append(hashes[n - 1]!)
      }
      expect(opened.size).toBe(BigInt(n))
      expect(toHex(opened.root())).toBe(toHex(tree.root()))
      for (const i of recent(n)) {
        expect(proof(opened, i)).toBeTypeOf('string')
        expect(proof(opened, i)).toBe(proof(tree, i))
      }
    }
    expect(opened.takeFullTiles()).toEqual(tree.takeFullTiles())
    for (let age = 4097; age < 6000; age++) {
      const i = size + 300 - age
      const path = i < 0 ? undefined : opened.inclusion(BigInt(i))
      if (path === undefined) continue
      const valid = verifyInclusion(hashes[i]!, BigInt(i), opened.size, path, opened.root())
      expect([age, valid]).toEqual([age, true])
    }
  })

  it('makes full tiles again that were not published', async () => {
    const { leaves, hashes } = sampleLeaves(66_000)
    const tiles = grow(hashes).takeFullTiles()
    for (const published of [0, 100, 200, tiles.length - 1]) {
      const log = new MemoryLog(leaves)
      log.put(tiles.slice(0, published))
      const opened = await Tree.open(log)
      expect(opened.root()).toEqual(grow(hashes).root())
      const key = (tile: { level: number; index: bigint }) => `${tile.level}/${tile.index}`
      const again = opened.takeFullTiles()
      expect(again.map(key).sort()).toEqual(tiles.slice(published).map(key).sort())
      for (const tile of again)
        expect(tile.hashes).toEqual(tiles.find((known) => key(known) === key(tile))?.hashes)
    }
  })

  it('reads tiles, not leaves, of an old log', async () => {
    const { leaves, hashes } = sampleLeaves(66_000)
    const log = new MemoryLog(leaves)
    log.put(grow(hashes).takeFullTiles())
    await Tree.open(log)
    expect(log.leafReads).toBeLessThan(256)
  })

  it('refuses a store that lacks leaves', async () => {
    const log = new MemoryLog(sampleLeaves(3).leaves)
    log.size = async () => 5n
    await expect(Tree.open(log)).rejects.toMatchObject({ code: 'missing' })
    await expect(Tree.open(log)).rejects.toBeInstanceOf(LogError)
    log.size = async () => 2n ** 53n
    await expect(Tree.open(log)).rejects.toMatchObject({ code: 'too_large' })
  })
})

it('hashes a node with its prefix', () => {
  const [left, right] = [leafHash(utf8('a')), leafHash('b')]
  expect(nodeHash(left, right)).toEqual(sha256(Uint8Array.of(1, ...left, ...right)))
})
