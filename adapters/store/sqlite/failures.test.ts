import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StoreError } from '../../../core/error.ts'
import type { Batch } from '../../../core/ports/store.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { afterwards, bytes, close, newPath, open, runChild } from '../../../test/sqlite/kit.ts'
import { storeFailure } from './failure.ts'

const key = (sort: string): { partition: string; sort: string } => ({ partition: 'p', sort })
const large = (sort: string): Batch => ({
  writes: [{ put: key(sort), value: new Uint8Array(50_000), if: 'absent' }],
  leaf: bytes(`leaf of ${sort}`),
})

describe('a database that may not grow', () => {
  test('refuses the group, keeps nothing of it, and goes on', async () => {
    const pair = await open(newPath(), { maxBytes: 400_000 })
    const { store, log } = pair
    await store.commit([large('a')])
    const before = await store.get(key('a'))
    const version = before?.version ?? ''
    const change: Batch = { writes: [{ put: key('a'), value: bytes('changed'), if: version }] }
    const many = Array.from({ length: 10 }, (_, i) => large(`b${i}`))
    expect(await refusal(store.commit([change, ...many]))).toBe('full')
    expect(await log.size()).toBe(1n)
    expect(await store.get(key('a'))).toEqual(before)
    expect(await store.get(key('b0'))).toBeUndefined()
    expect(await store.commit([large('c')])).toEqual([{ index: 1n }])
    expect(await store.commit([change])).not.toEqual([{ conflict: key('a') }])
    expect((await store.get(key('a')))?.value).toEqual(bytes('changed'))
  })

  test('gives no version of a failed group a second time', async () => {
    const { store } = await open(newPath(), { maxBytes: 400_000 })
    await store.commit([large('a')])
    const first = Number((await store.get(key('a')))?.version)
    const many = Array.from({ length: 10 }, (_, i) => large(`b${i}`))
    expect(await refusal(store.commit(many))).toBe('full')
    await store.commit([large('c')])
    expect(Number((await store.get(key('c')))?.version)).toBeGreaterThan(first + 1)
  })

  test('keeps what was published for the next commit', async () => {
    const path = newPath()
    const pair = await open(path, { maxBytes: 400_000 })
    await pair.store.commit([large('a')])
    const checkpoint = { size: 1n, root: new Uint8Array(32), note: bytes('note') }
    await pair.log.publish({ tiles: [], checkpoint })
    const many = Array.from({ length: 10 }, (_, i) => large(`b${i}`))
    expect(await refusal(pair.store.commit(many))).toBe('full')
    expect(await pair.log.checkpoint()).toEqual(bytes('note'))
    await close(pair)
    expect(await (await open(path)).log.checkpoint()).toEqual(bytes('note'))
  })
})

test('a value that is no bytes fails its group, leaves nothing of it, and the store goes on', async () => {
  const { store, log } = await open(newPath())
  const value = 'text' as unknown as Uint8Array
  const bad: Batch = { writes: [{ put: key('b'), value, if: 'absent' }], leaf: bytes('b') }
  expect(await refusal(store.commit([large('a'), { ...bad, leaf: 5 as never }]))).toBe(
    'unavailable',
  )
  expect(await refusal(store.commit([large('a'), bad, large('c')]))).toBe('unavailable')
  expect(await store.get(key('a'))).toBeUndefined()
  expect(await log.size()).toBe(0n)
  expect(await store.commit([large('a')])).toEqual([{ index: 0n }])
})

/** A file system of our own, or undefined where we may not make one. */
function mounted(size: string): string | undefined {
  const folder = join(dirname(newPath()), 'disk')
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
  } catch {
    return undefined
  }
  afterwards(() => execFileSync('umount', ['-l', folder]))
  return folder
}

describe('a disk', () => {
  // Where no file system can be made, the limit above and the one below stand for it.
  test('that is full refuses, keeps what it has, and can be read', async () => {
    const folder = mounted('3m')
    const path = folder === undefined ? newPath() : join(folder, 'assay.db')
    const lines = await runChild('fill', path, undefined, folder === undefined ? 3000 : undefined)
    const [, failed, last, ...after] = lines as [string, object, { index: number }, ...object[]]
    expect(failed).toEqual({ failed: folder === undefined ? 'unknown_outcome' : 'full' })
    expect(last.index).toBeGreaterThan(10)
    if (folder) expect(after).toEqual([{ commit: 'ok' }, { get: 'ok' }, { close: 'ok' }])
    const size = { size: last.index + 1, counter: String(last.index) }
    expect(await runChild('read', path)).toEqual([size])
    if (!folder) return
    execFileSync('mount', ['-o', 'remount,size=64m', folder])
    expect(await runChild('try', path)).toEqual([size])
    execFileSync('mount', ['-o', 'remount,ro', folder])
    expect(await runChild('try', path)).toEqual([{ refused: 'read_only' }])
    expect(await runChild('read', path)).toEqual([size])
  })

  test('that fails within a commit leaves its outcome open, and ends the store', async () => {
    const path = newPath()
    const lines = await runChild('fill', path, undefined, 3000)
    const [opened, failed, last, ...after] = lines as [
      string,
      object,
      { index: number },
      ...object[],
    ]
    expect(opened).toBe('open')
    expect(failed).toEqual({ failed: 'unknown_outcome' })
    expect(after).toEqual([{ commit: 'unavailable' }, { get: 'unavailable' }, { close: 'ok' }])
    const pair = await open(path, { integrity: 'full' })
    const size = Number(await pair.log.size())
    // The commit in doubt is there or is not; nothing else may be missing or new.
    expect([last.index + 1, last.index + 2]).toContain(size)
    expect((await pair.store.get(key('counter')))?.value).toEqual(bytes(String(size - 1)))
    expect(statSync(path).size).toBeLessThan(3_072_000)
  })
})

describe('codes', () => {
  const sqlite = (errcode: number): Error =>
    Object.assign(new Error('sqlite'), { code: 'ERR_SQLITE_ERROR', errcode })
  const file = (code: string): Error => Object.assign(new Error('file'), { code })

  test.each([
    [13, 'full', 'full'],
    [8, 'read_only', 'read_only'],
    [1032, 'read_only', 'read_only'],
    [11, 'corrupt', 'corrupt'],
    [26, 'corrupt', 'corrupt'],
    [267, 'corrupt', 'corrupt'],
    [1555, 'corrupt', 'corrupt'],
    [8458, 'corrupt', 'corrupt'],
    [5, 'unavailable', 'unavailable'],
    [261, 'unavailable', 'unavailable'],
    [6, 'unavailable', 'unavailable'],
    [10, 'unavailable', 'unknown_outcome'],
    [778, 'unavailable', 'unknown_outcome'],
    [1034, 'unavailable', 'unknown_outcome'],
    [7, 'unavailable', 'unknown_outcome'],
    [14, 'unavailable', 'unknown_outcome'],
  ])('SQLite’s %i is %s, and %s within a COMMIT', (errcode, before, within) => {
    expect(storeFailure(sqlite(errcode)).code).toBe(before)
    expect(storeFailure(sqlite(errcode), true).code).toBe(within)
  })

  test.each([
    ['EACCES', 'read_only'],
    ['EROFS', 'read_only'],
    ['EPERM', 'read_only'],
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['ENOENT', 'unavailable'],
    ['EIO', 'unavailable'],
  ])('%s is %s', (code, expected) => {
    expect(storeFailure(file(code)).code).toBe(expected)
  })

  test('of our own stay', () => {
    const error = new StoreError('x', 'locked', 'y')
    expect(storeFailure(error, true)).toBe(error)
  })
})
