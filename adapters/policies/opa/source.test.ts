/** OPA bundles as OPA writes them, and as nobody should: every hostile one is refused with a code, before anything of it is used. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BundleError } from '../../../core/error.ts'
import { readTar, safePath } from '../../../formats/bundle/tar.ts'
import { folderOf } from '../../../test/opa.ts'
import { type Entry, tar, tarball } from '../../../test/tar.ts'
import { opaProgram } from '../../../test/tools.ts'
import { readBundle, readFolder } from './source.ts'

const REGO = { name: 'app/allow.rego', body: 'package app\n\nallow := true\n' }
const code = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error instanceof BundleError ? error.code : error
  }
}

let place: Awaited<ReturnType<typeof folderOf>>
beforeEach(async () => {
  place = await folderOf({})
})
afterEach(() => place.remove())

async function bundle(bytes: Uint8Array | readonly Entry[]): Promise<unknown> {
  const packed = bytes instanceof Uint8Array ? bytes : tarball(bytes)
  const made = await folderOf({ 'b.tar.gz': packed })
  try {
    return await readBundle(join(made.dir, 'b.tar.gz'))
  } catch (error) {
    return error instanceof BundleError ? error.code : error
  } finally {
    await made.remove()
  }
}

describe('a bundle', () => {
  test('has modules, documents by folder, roots and a revision', async () => {
    const read = await bundle([
      { name: '/.manifest', body: '{"revision":"r1","roots":["app","/users/"]}' },
      { name: '/data.json', body: '{"users":{"ann":1}}' },
      { name: '/users/more/data.yaml', body: 'bob: [1, two]\n' },
      { name: './app/', type: '5' },
      REGO,
      { name: 'policy.wasm', body: Buffer.from([0, 0x61, 0xff]) },
      { name: 'notes.json', body: 'not even JSON' },
    ])
    expect(read).toEqual({
      modules: { 'app/allow.rego': REGO.body },
      documents: { users: { ann: 1, more: { bob: [1, 'two'] } } },
      roots: ['app', 'users'],
      revision: 'r1',
    })
  })

  test('without a manifest owns everything; a folder without one owns nothing', async () => {
    expect(await bundle([REGO])).toMatchObject({ roots: [''] })
    const { dir, remove } = await folderOf({ 'app/allow.rego': REGO.body, 'data.yaml': 'a: 1' })
    expect(await readFolder(dir)).toMatchObject({ roots: [], documents: { a: 1 } })
    await remove()
  })

  test('is what opa build writes', async () => {
    const { dir, remove } = await folderOf({
      'src/app/allow.rego': REGO.body,
      'src/users/data.json': '{"ann":true}',
      'src/.manifest': '{"revision":"7","roots":["app","users"]}',
    })
    const out = join(dir, 'made.tar.gz')
    await promisify(execFile)(await opaProgram(), ['build', '-b', join(dir, 'src'), '-o', out])
    expect(await readBundle(out)).toMatchObject({
      documents: { users: { ann: true } },
      roots: ['app', 'users'],
      revision: '7',
    })
    expect(Object.keys(((await readBundle(out)) as { modules: object }).modules)).toHaveLength(1)
    await remove()
  }, 300_000)

  test('in a folder may say what it owns', async () => {
    const files = { 'app/allow.rego': REGO.body, '.manifest': '{"roots":["app"]}' }
    const { dir, remove } = await folderOf(files)
    expect(await readFolder(dir)).toMatchObject({ roots: ['app'] })
    await remove()
  })
})

describe('is refused', () => {
  const refused: readonly (readonly [what: string, code: string, entries: readonly Entry[]])[] = [
    ['a name that leads out', 'unsafe_path', [{ name: '../../etc/x.rego', body: 'package x' }]],
    ['a name that leads out in the middle', 'unsafe_path', [{ name: 'a/../../x.rego' }]],
    ['a name with a backslash', 'unsafe_path', [{ name: 'a\\..\\x.rego' }]],
    ['a name of nothing', 'unsafe_path', [{ name: '/' }]],
    ['a symbolic link', 'unsafe_path', [{ name: 'x.rego', type: '2' }]],
    ['a hard link', 'unsafe_path', [{ name: 'x.rego', type: '1' }]],
    ['a device', 'unsafe_path', [{ name: 'x.rego', type: '3' }]],
    ['a file twice', 'duplicate_file', [REGO, { ...REGO, name: './app/allow.rego' }]],
    ['too many files', 'too_large', Array.from({ length: 4097 }, (_, i) => ({ name: `f${i}` }))],
    ['a file that ends early', 'invalid_archive', [{ name: 'x.rego', body: 'x', size: 9000 }]],
    [
      'a name in a pax header that leads out',
      'unsafe_path',
      [{ name: 'pax', type: 'x', body: '22 path=../../x.rego\n\n' }, { name: 'x.rego' }],
    ],
    ['a damaged pax header', 'invalid_archive', [{ name: 'pax', type: 'x', body: '99 path=x\n' }]],
    [
      'a size in a pax header',
      'invalid_archive',
      [{ name: 'p', type: 'x', body: '12 size=999\n' }],
    ],
    [
      'a signature that nobody can verify',
      'unverified_signature',
      [REGO, { name: '.signatures.json', body: '{"signatures":["x"]}' }],
    ],
    ['a manifest that is none', 'invalid_manifest', [{ name: '.manifest', body: '{' }]],
    ['roots that are none', 'invalid_manifest', [{ name: '.manifest', body: '{"roots":[1]}' }]],
    [
      'the Rego of yesterday',
      'unsupported_version',
      [{ name: '.manifest', body: '{"rego_version":0}' }],
    ],
    ['data that is no JSON', 'invalid_data', [{ name: 'data.json', body: '{"a":1,}' }]],
    ['data with one name twice', 'invalid_data', [{ name: 'data.json', body: '{"a":1,"a":2}' }]],
    ['data that is no object', 'invalid_data', [{ name: 'data.json', body: '[1]' }]],
    [
      'two documents in one place',
      'conflict',
      [
        { name: 'data.json', body: '{"a":{"b":1}}' },
        { name: 'a/data.json', body: '{"b":2}' },
      ],
    ],
    ['a module that is not UTF-8', 'invalid_data', [{ name: 'x.rego', body: Buffer.from([0xff]) }]],
  ]
  test.each(refused)('%s: %s', async (_, expected, entries) => {
    expect(await bundle(entries)).toBe(expected)
  })

  test('what is not gzip, and what is not tar', async () => {
    expect(await bundle(Buffer.from('plain'))).toBe('invalid_archive')
    expect(await bundle(gzipSync(Buffer.alloc(600, 1)))).toBe('invalid_archive')
    expect(await bundle(tarball([REGO]).subarray(0, 40))).toBe('invalid_archive')
  })

  test('a bomb: a few kilobytes that unpack to more than is kept', async () => {
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(100_000)
    expect(await bundle(bomb)).toBe('too_large')
  })

  test('a file that is not there', async () => {
    await expect(readBundle(join(place.dir, 'no'))).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('whatever the bytes', () => {
  const known = (result: unknown): boolean =>
    result instanceof Map ||
    ['invalid_archive', 'unsafe_path', 'duplicate_file'].includes(String(result))

  test('an archive is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => known(code(() => readTar(bytes)))),
      { numRuns: 2000 },
    )
  })

  test('an archive with changed bytes is read or refused', () => {
    const good = tar([REGO, { name: 'data.json', body: '{}' }])
    const at = fc.nat({ max: good.length - 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(at, fc.nat({ max: 255 })), { maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(good)
        for (const [i, byte] of changes) bytes[i] = byte
        return known(code(() => readTar(bytes)))
      }),
      { numRuns: 2000 },
    )
  })

  test('no path leads out', () => {
    const part = fc.constantFrom('..', '.', '', 'a', 'b.rego', '/', '\\', '\0')
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const path = code(() => safePath(parts.join('/')))
        return (
          path === 'unsafe_path' ||
          (!String(path).startsWith('/') && !/(^|\/)\.\.?(\/|$)/.test(String(path)))
        )
      }),
      { numRuns: 2000 },
    )
  })
})
