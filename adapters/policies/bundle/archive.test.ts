/** Archives that were damaged on their way: they are refused, or what they say is what was packed. */
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KernelError } from '../../../core/error.ts'
import type { Files } from '../../../formats/bundle/index.ts'
import { DEFAULT_LIMITS, pack, readBundleAt, unpack } from './archive.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-archive-'))
})
afterAll(() => rm(folder, { recursive: true }))

const FILES: Files = new Map(
  ['.manifest', 'data.json', 'a/b/c.rego'].map((path, i) => [path, Buffer.alloc(700 * i, path)]),
)
const plain = (files: Files): unknown =>
  [...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('latin1')]).sort()
const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (error instanceof KernelError ? error.code : error))

test('what was packed comes out, with the bytes of a gzip header that say nothing', async () => {
  const packed = await pack(FILES)
  expect(plain(await unpack(packed, DEFAULT_LIMITS))).toEqual(plain(FILES))
  // Time 0, best compression, no system (RFC 1952).
  expect([...packed.subarray(0, 10)]).toEqual([31, 139, 8, 0, 0, 0, 0, 0, 2, 255])
})

test('cut off anywhere, it is truncated', async () => {
  const packed = await pack(FILES)
  for (let end = 0; end < packed.length; end++)
    expect(await codeOf(unpack(packed.subarray(0, end), DEFAULT_LIMITS)), `${end}`).toBe(
      'truncated',
    )
})

test('with any byte changed, nothing else comes out', async () => {
  const packed = await pack(FILES)
  const change = fc.tuple(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }))
  await fc.assert(
    fc.asyncProperty(change, async ([at, mask]) => {
      const damaged = Uint8Array.from(packed)
      damaged[at]! ^= mask
      const result = await unpack(damaged, DEFAULT_LIMITS).then(plain, (error: unknown) => {
        expect(error).toBeInstanceOf(KernelError)
        return plain(FILES)
      })
      expect(result).toEqual(plain(FILES))
    }),
    { numRuns: 500 },
  )
})

test('a folder is read whole, and no link in it is followed', async () => {
  const dir = join(folder, 'bundle')
  await mkdir(join(dir, 'a/b'), { recursive: true })
  for (const [path, bytes] of FILES) await writeFile(join(dir, path), bytes)
  expect(plain(await readBundleAt(dir, DEFAULT_LIMITS))).toEqual(plain(FILES))
  await symlink('data.json', join(dir, 'link.json'))
  expect(await codeOf(readBundleAt(dir, DEFAULT_LIMITS))).toBe('unsafe_path')
  await rm(join(dir, 'link.json'))
  await link(join(dir, 'data.json'), join(dir, 'hard.json'))
  expect((await readBundleAt(dir, DEFAULT_LIMITS)).has('hard.json')).toBe(true)
  const small = { maxBytes: 10, maxUnpackedBytes: 1000 }
  expect(await codeOf(readBundleAt(dir, small))).toBe('unpacks_too_large')
  expect(await codeOf(readBundleAt(join(folder, 'none'), small))).toBe('not_found')
  await writeFile(join(folder, 'big.tar.gz'), Buffer.alloc(11))
  expect(await codeOf(readBundleAt(join(folder, 'big.tar.gz'), small))).toBe('too_large')
})
