import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../../test/fixtures.ts'
import {
  codeOf,
  MemoryLog,
  referenceConsistency,
  referenceInclusion,
  referenceRoot,
  sampleLeaves,
  utf8,
} from '../../test/log.ts'
import { fromBase64, fromHex, sha256, toBase64, toHex } from '../crypto.ts'
import { leafHash } from './leaf.ts'
import {
  consistencyProof,
  inclusionProof,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'
import { formatTlogProof, parseTlogProof } from './tlogproof.ts'
import { Tree } from './tree.ts'

const SIZES = 130
const { leaves, hashes } = sampleLeaves(SIZES)
const roots = Array.from({ length: SIZES + 1 }, (_, n) => referenceRoot(hashes.slice(0, n)))
const hex = (all: readonly Uint8Array[]) => all.map(toHex)

/** Each way in which one bit of one hash can be wrong would be 256 times as many; every eleventh finds the same mistakes. */
function* flipped(path: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const [i, hash] of path.entries())
    for (let bit = i % 11; bit < 256; bit += 11) {
      const changed = hash.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      yield path.with(i, changed)
    }
}

describe('inclusion', () => {
  it('is proved for every leaf at every size, as RFC 6962 says', async () => {
    const log = new MemoryLog(leaves)
    for (let n = 1; n <= SIZES; n++)
      for (let i = 0; i < n; i++) {
        const path = await inclusionProof(log, BigInt(i), BigInt(n))
        expect(hex(path)).toEqual(hex(referenceInclusion(i, hashes.slice(0, n))))
        expect(verifyInclusion(hashes[i]!, BigInt(i), BigInt(n), path, roots[n]!)).toBe(true)
      }
  })

  it('fails with another index, size, leaf, root, or number of hashes', () => {
    for (let n = 1; n <= 40; n++)
      for (let i = 0; i < n; i++) {
        const path = referenceInclusion(i, hashes.slice(0, n))
        const verify = (index: number, size: number, proof = path, root = roots[n]!) =>
          verifyInclusion(hashes[i]!, BigInt(index), BigInt(size), proof, root)
        for (let j = -1; j <= n; j++) expect(verify(j, n)).toBe(j === i)
        expect(verify(i, n, [...path, hashes[0]!])).toBe(false)
        expect(verify(i, n, [hashes[0]!, ...path])).toBe(false)
        if (path.length > 0) expect(verify(i, n, path.slice(1))).toBe(false)
        if (path.length > 0) expect(verify(i, n, path.slice(0, -1))).toBe(false)
        expect(verify(i, n, path, roots[n - 1]!)).toBe(false)
        const other = hashes[i + 1]!
        expect(verifyInclusion(other, BigInt(i), BigInt(n), path, roots[n]!)).toBe(false)
      }
    expect(verifyInclusion(hashes[0]!, 0n, 0n, [], roots[0]!)).toBe(false)
  })

  it('fails with any flipped bit', () => {
    for (const [i, n] of [
      [0, 1],
      [0, 2],
      [4, 5],
      [6, 7],
      [77, 130],
      [129, 130],
    ] as const)
      for (const path of flipped(referenceInclusion(i, hashes.slice(0, n))))
        expect(verifyInclusion(hashes[i]!, BigInt(i), BigInt(n), path, roots[n]!)).toBe(false)
  })

  it('takes no hash that is not 32 bytes', () => {
    const [left, right] = [hashes[0]!, hashes[1]!]
    expect(verifyInclusion(left, 0n, 2n, [right], roots[2]!)).toBe(true)
    // The scratch buffer still holds the sibling of the line above.
    expect(verifyInclusion(left, 0n, 2n, [right.slice(0, 31)], roots[2]!)).toBe(false)
    expect(verifyInclusion(left, 0n, 2n, [new Uint8Array(0)], roots[2]!)).toBe(false)
    expect(verifyInclusion(left, 0n, 2n, [Uint8Array.of(...right, 0)], roots[2]!)).toBe(false)
    expect(verifyInclusion(new Uint8Array(31), 0n, 1n, [], new Uint8Array(31))).toBe(false)
  })

  it('ends for sizes at the edge of 63 bits', () => {
    const path = Array.from({ length: 63 }, () => hashes[0]!)
    const last = 2n ** 63n - 2n
    expect(verifyInclusion(hashes[0]!, last, last + 1n, path, roots[1]!)).toBe(false)
    expect(verifyConsistency(9n, roots[9]!, 2n ** 63n - 1n, roots[1]!, path)).toBe(false)
    expect(verifyConsistency(2n ** 62n, roots[9]!, 2n ** 63n - 1n, roots[1]!, path)).toBe(false)
  })
})

describe('consistency', () => {
  it('is proved for every pair of sizes, as RFC 6962 says', async () => {
    const log = new MemoryLog(leaves)
    for (let n = 1; n <= SIZES; n++)
      for (let m = 1; m <= n; m++) {
        const path = await consistencyProof(log, BigInt(m), BigInt(n))
        expect(hex(path)).toEqual(hex(referenceConsistency(m, hashes.slice(0, n))))
        expect(verifyConsistency(BigInt(m), roots[m]!, BigInt(n), roots[n]!, path)).toBe(true)
      }
  })

  it('fails with another size, root, or number of hashes', () => {
    for (let n = 2; n <= 33; n++)
      for (let m = 1; m < n; m++) {
        const path = referenceConsistency(m, hashes.slice(0, n))
        const verify = (old: number, oldRoot: Uint8Array, proof = path, root = roots[n]!) =>
          verifyConsistency(BigInt(old), oldRoot, BigInt(n), root, proof)
        for (let j = 1; j <= n + 1; j++) if (j !== m) expect(verify(j, roots[j]!)).toBe(false)
        expect(verify(m, roots[n]!)).toBe(false)
        expect(verify(m, roots[m]!, path, roots[m]!)).toBe(false)
        expect(verify(m, roots[m]!, path.slice(1))).toBe(false)
        expect(verify(m, roots[m]!, path.slice(0, -1))).toBe(false)
        expect(verify(m, roots[m]!, [...path, hashes[0]!])).toBe(false)
        for (const changed of flipped(path)) expect(verify(m, roots[m]!, changed)).toBe(false)
      }
  })

  it('refuses the old root at the head of a proof from a power of two', () => {
    for (const m of [1, 2, 4, 8, 16, 32, 64, 128])
      for (const n of [m + 1, 129, 130].filter((n) => n > m)) {
        const path = referenceConsistency(m, hashes.slice(0, n))
        const verify = (proof: Uint8Array[]) =>
          verifyConsistency(BigInt(m), roots[m]!, BigInt(n), roots[n]!, proof)
        expect(verify(path)).toBe(true)
        expect(verify([roots[m]!, ...path])).toBe(false)
      }
  })

  it('needs an empty proof from nothing and to itself', () => {
    const verify = (m: number, n: number, path: Uint8Array[], oldRoot = roots[m]!) =>
      verifyConsistency(BigInt(m), oldRoot, BigInt(n), roots[n]!, path)
    expect(verify(0, 5, [])).toBe(true)
    expect(verify(0, 0, [])).toBe(true)
    expect(verify(5, 5, [])).toBe(true)
    expect(verify(0, 5, [hashes[0]!])).toBe(false)
    expect(verify(5, 5, [hashes[0]!])).toBe(false)
    expect(verify(0, 5, [], roots[1]!)).toBe(false)
    expect(verify(5, 5, [], roots[4]!)).toBe(false)
    expect(verify(6, 5, [])).toBe(false)
    expect(verifyConsistency(-1n, roots[0]!, 5n, roots[5]!, [])).toBe(false)
  })
})

describe('proofs from tiles', () => {
  it('agree with the sealing tree, with tiles published, half published and not', async () => {
    const { leaves, hashes } = sampleLeaves(66_321)
    const tree = new Tree()
    for (const hash of hashes) tree.append(hash)
    const tiles = tree.takeFullTiles()
    for (const published of [tiles.length, 130]) {
      const log = new MemoryLog(leaves)
      log.put(tiles.slice(0, published))
      expect(toHex(await rootAt(log, 66_321n))).toBe(toHex(tree.root()))
      for (const index of [0n, 255n, 256n, 40_000n, 65_535n, 65_536n, 66_000n, 66_320n]) {
        const path = await inclusionProof(log, index, 66_321n)
        expect(verifyInclusion(hashes[Number(index)]!, index, 66_321n, path, tree.root())).toBe(
          true,
        )
        expect(tree.inclusion(index) ?? path).toEqual(path)
      }
      for (const old of [1n, 256n, 257n, 65_535n, 65_536n, 65_537n, 66_048n]) {
        const path = await consistencyProof(log, old, 66_321n)
        const oldRoot = await rootAt(log, old)
        expect(verifyConsistency(old, oldRoot, 66_321n, tree.root(), path)).toBe(true)
      }
    }
  })

  it('are refused beyond the log', async () => {
    const log = new MemoryLog(leaves)
    const refused = { code: 'missing' }
    await expect(inclusionProof(log, 5n, 5n)).rejects.toMatchObject(refused)
    await expect(inclusionProof(log, -1n, 5n)).rejects.toMatchObject(refused)
    await expect(inclusionProof(log, 5n, 200n)).rejects.toMatchObject(refused)
    await expect(consistencyProof(log, 6n, 5n)).rejects.toMatchObject(refused)
    await expect(consistencyProof(log, -1n, 5n)).rejects.toMatchObject(refused)
    expect(await consistencyProof(log, 0n, 5n)).toEqual([])
    expect(await rootAt(log, 0n)).toEqual(sha256(new Uint8Array()))
  })
})

describe('tlog-proof', () => {
  const checkpoint = utf8('o\n1\nAAAA\n\n— o AAAAAAAA\n')

  it('is written and read', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const extra = fc.option(fc.uint8Array(), { nil: undefined })
    const index = fc.bigInt(0n, 2n ** 63n - 1n)
    fc.assert(
      fc.property(index, fc.array(hash, { maxLength: 63 }), extra, (index, path, extra) => {
        const proof = { index, path, checkpoint, ...(extra && { untrustedExtra: extra }) }
        const text = formatTlogProof(proof)
        expect(parseTlogProof(text)).toEqual(proof)
        expect(formatTlogProof(parseTlogProof(text))).toBe(text)
      }),
    )
  })

  it('has one form', () => {
    const good = formatTlogProof({ index: 12n, path: [hashes[0]!], checkpoint })
    const long = formatTlogProof({ index: 1n, path: Array(64).fill(hashes[0]), checkpoint })
    for (const bad of [
      '',
      good.replace('@v1', '@v2'),
      good.replaceAll('\n', '\r\n'),
      `\n${good}`,
      good.replace('index 12', 'index 012'),
      good.replace('index 12', 'index +12'),
      good.replace('index 12', 'index  12'),
      good.replace('index 12', 'index'),
      good.replace('index 12\n', ''),
      good.replace('index 12', 'index 12\nindex 12'),
      good.replace('index 12', 'extra A\nindex 12'),
      good.replace('index 12', 'index 12\nextra AAAA'),
      good.replace('\n\n', '\n'),
      good.replace(/.{44}\n/, `${toBase64(new Uint8Array(31))}\n`),
      good.replace(/.{44}\n/, `${toBase64(new Uint8Array(33))}\n`),
      good.replace('=\n', '\n'),
      good.replace('=\n', '= \n'),
      good.replace('— o', '\ud800 o'),
      long,
    ])
      expect([bad === good, codeOf(() => parseTlogProof(bad))]).toEqual([false, 'malformed'])
  })

  it('answers changed texts with a LogError or their one reading', () => {
    const good = formatTlogProof({ index: 12n, path: hashes.slice(0, 3), checkpoint })
    const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom('', '\n', ' ', '0', '=', 'é', '\r')))
    fc.assert(
      fc.property(edits, (changes) => {
        let text = good
        for (const [place, piece] of changes) {
          const at = place % text.length
          text = text.slice(0, at) + piece + text.slice(at + 1)
        }
        if (codeOf(() => parseTlogProof(text)) === 'accepted')
          expect(formatTlogProof(parseTlogProof(text))).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })
})

it('has the proof of seven from three leaves of the witness vector', async () => {
  const rows = Array.from({ length: 7 }, (_, i) => utf8(`entry ${i}`))
  const log = new MemoryLog(rows)
  expect(await rootAt(log, 7n)).toEqual(fromBase64('mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc='))
  expect(await rootAt(log, 3n)).toEqual(fromBase64('lPvQ3YNvUDAWkubQ6t5yjuGexSv/8WBu2AfIV11aqhk='))
  expect(await rootAt(log, 0n)).toEqual(fromBase64('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))
  expect(await consistencyProof(log, 3n, 7n)).toEqual(
    [
      'V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=',
      'YcoROfaBWEHVuvLQ0tm9nf7pfImN1ve6DAqpQe5sAes=',
      'WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=',
      'lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=',
    ].map(fromBase64),
  )
})

interface MerkleVectors {
  readonly empty_root_hex: string
  readonly trees: readonly {
    readonly size: number
    readonly root_hex: string
    readonly inclusion_hex: readonly string[]
    readonly consistency: readonly { readonly old: number; readonly proof_hex: string }[]
  }[]
}
const chunks = (text: string) => (text.match(/.{64}/g) ?? []).map((hash) => fromHex(hash)!)

it('agrees with the trees of nucleus', async (ctx) => {
  const path = fixture('nucleus', 'merkle_vectors.json')
  if (path === undefined) return ctx.skip(FIXTURES_ABSENT)
  const vectors = JSON.parse(readFileSync(path, 'utf8')) as MerkleVectors
  const count = Math.max(...vectors.trees.map(({ size }) => size))
  const log = new MemoryLog(Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i)))
  expect(toHex(await rootAt(log, 0n))).toBe(vectors.empty_root_hex)
  expect(vectors.trees.length).toBe(17)
  for (const { size, root_hex, inclusion_hex, consistency } of vectors.trees) {
    const root = fromHex(root_hex)!
    expect(toHex(await rootAt(log, BigInt(size)))).toBe(root_hex)
    for (const [i, known] of inclusion_hex.entries()) {
      const proof = chunks(known)
      expect(await inclusionProof(log, BigInt(i), BigInt(size))).toEqual(proof)
      const leaf = leafHash(log.rows[i]!)
      expect(verifyInclusion(leaf, BigInt(i), BigInt(size), proof, root)).toBe(true)
    }
    for (const { old, proof_hex } of consistency) {
      const proof = chunks(proof_hex)
      expect(await consistencyProof(log, BigInt(old), BigInt(size))).toEqual(proof)
      const oldRoot = await rootAt(log, BigInt(old))
      expect(verifyConsistency(BigInt(old), oldRoot, BigInt(size), root, proof)).toBe(true)
    }
  }
})
