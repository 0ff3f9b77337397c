/** What was overwritten or removed is gone from the files, not only from the answers. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Store } from '../../../core/ports/store.ts'
import { openSqlite, type SqliteOptions } from './index.ts'

let dir: string
let path: string
let pair: { store: Store; log: LogStore } | undefined
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-forget-'))
  path = join(dir, 'assay.db')
})
afterEach(async () => {
  await close()
  await rm(dir, { recursive: true })
})

async function open(options: Partial<SqliteOptions> = {}): Promise<Store> {
  pair = await openSqlite({ path, ...options })
  return pair.store
}
async function close(): Promise<void> {
  await pair?.store.close()
  await pair?.log.close()
  pair = undefined
}

const partition = 'p'
const secret = (n: number): string => `secret-${n}-${'x'.repeat(40)}`
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Long ones reach into pages of their own. */
const value = (n: number): Uint8Array => bytes(`${secret(n)}${'.'.repeat((n % 7) * 1000)}`)

async function fill(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const put = { partition, sort: `k${n}` }
    await store.commit([{ writes: [{ put, value: value(n), if: 'absent' }] }])
  }
}

/** Every second one is overwritten by less, every fourth one removed. */
async function forget(store: Store, count: number): Promise<readonly number[]> {
  const gone: number[] = []
  for (let n = 0; n < count; n += 2) {
    const key = { partition, sort: `k${n}` }
    const version = (await store.get(key))!.version
    const write =
      n % 4 === 0 ? { remove: key, if: version } : { put: key, value: bytes('erased'), if: version }
    await store.commit([{ writes: [write] }])
    gone.push(n)
  }
  return gone
}

function found(numbers: readonly number[]): readonly number[] {
  const files = [path, `${path}-wal`].filter((file) => existsSync(file))
  const all = files.map((file) => readFileSync(file, 'latin1')).join('\n')
  return numbers.filter((n) => all.includes(secret(n)))
}

it('within the time that was asked for, while the writer goes on', async () => {
  const store = await open({ forgetMs: 5 })
  await fill(store, 200)
  const gone = await forget(store, 200)
  await vi.waitFor(() => expect(found(gone)).toEqual([]), { timeout: 20_000 })
  expect(found([1, 3, 5])).toEqual([1, 3, 5])
  expect((await store.get({ partition, sort: 'k2' }))?.value).toEqual(bytes('erased'))
})

it('also when a reader stood in the way', async () => {
  const store = await open({ forgetMs: 5 })
  await fill(store, 50)
  const { DatabaseSync } = await import('node:sqlite')
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM kv').get()
  const gone = await forget(store, 50)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(found(gone).length).toBeGreaterThan(0)
  reader.close()
  await vi.waitFor(() => expect(found(gone)).toEqual([]), { timeout: 20_000 })
})

it('once the writer has closed', async () => {
  const store = await open()
  await fill(store, 100)
  const gone = await forget(store, 100)
  await close()
  expect(found(gone)).toEqual([])
})
