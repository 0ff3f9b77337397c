import { describe, expect, test } from 'vitest'
import type { Batch, Write } from '../../../core/ports/store.ts'
import { random } from '../../../test/conformance/bytes.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { bytes, newPath, open, type Pair } from '../../../test/sqlite/kit.ts'
import { ABSENT, RecordCache } from './cache.ts'

const entry = (text: string): { version: string; value: Uint8Array } => ({
  version: text,
  value: bytes(text),
})

const key = (sort: string): { partition: string; sort: string } => ({ partition: 'p', sort })

describe('the cache', () => {
  test('drops what was not asked for longest, and stays within its bytes', () => {
    const cache = new RecordCache(1000)
    for (const name of ['a', 'b', 'c', 'd']) cache.set(key(name), entry(name))
    expect(cache.get(key('a'))).toEqual(entry('a'))
    cache.set(key('e'), entry('e'))
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => cache.has(key(name)))).toEqual([
      true,
      false,
      true,
      true,
      true,
    ])
    expect(cache.bytes).toBeLessThanOrEqual(1000)
  })

  test('counts what it replaces and removes', () => {
    const cache = new RecordCache(10_000)
    cache.set(key('a'), { version: '1', value: new Uint8Array(5000) })
    cache.set(key('a'), ABSENT)
    expect(cache.bytes).toBeLessThan(500)
    cache.delete(key('a'))
    cache.delete(key('a'))
    expect(cache.bytes).toBe(0)
  })

  test('holds nothing that is larger than itself, and nothing at size 0', () => {
    const cache = new RecordCache(1000)
    cache.set(key('a'), entry('a'))
    cache.set(key('a'), { version: '2', value: new Uint8Array(2000) })
    expect(cache.has(key('a'))).toBe(false)
    const none = new RecordCache(0)
    none.set(key('a'), ABSENT)
    expect(none.has(key('a'))).toBe(false)
    expect([cache.bytes, none.bytes]).toEqual([0, 0])
  })
})

/** Everything in the database, by two ways: the cache's and SQL's. */
async function bothWays({ store }: Pair, names: readonly string[]): Promise<[unknown, unknown]> {
  const got = await Promise.all(names.map((name) => store.get(key(name))))
  const listed = new Map<string, unknown>()
  for await (const stored of store.list('p', '')) listed.set(stored.key.sort, stored)
  return [got, names.map((name) => listed.get(name))]
}

describe('the store answers from it what the database would', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

  test.each([
    ['with room for all', 1_048_576],
    ['with room for three', 700],
  ])('%s, after random commits, conflicts and failures', async (_, cacheBytes) => {
    const pair = await open(newPath(), { cacheBytes, maxBytes: 300_000 })
    const next = random(7)
    const outcomes = { won: 0, lost: 0, failed: 0 }
    for (let round = 0; round < 150; round++) {
      const batches: Batch[] = []
      for (let i = 0; i < 3; i++) batches.push({ writes: await randomWrites(pair, names, next) })
      // Now and then the group as a whole does not fit.
      const huge: Write[] = [{ put: key('huge'), value: new Uint8Array(400_000), if: 'absent' }]
      if (next() < 0.1) batches.push({ writes: huge })
      try {
        for (const outcome of await pair.store.commit(batches))
          outcomes['conflict' in outcome ? 'lost' : 'won'] += 1
      } catch {
        outcomes.failed += 1
      }
      const [got, listed] = await bothWays(pair, names)
      expect(got).toEqual(listed)
    }
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(5)
  })

  test('and conditions hold against what a failed group would have written', async () => {
    const { store } = await open(newPath(), { maxBytes: 300_000 })
    const put: Write = { put: key('a'), value: bytes('1'), if: 'absent' }
    expect(await store.get(key('a'))).toBeUndefined()
    const huge: Write = { put: key('huge'), value: new Uint8Array(400_000), if: 'absent' }
    expect(await refusal(store.commit([{ writes: [put] }, { writes: [huge] }]))).toBe('full')
    expect(await store.commit([{ writes: [{ check: key('a'), if: 'absent' }] }])).toEqual([{}])
    expect(await store.commit([{ writes: [put] }])).toEqual([{}])
  })
})

async function randomWrites(
  { store }: Pair,
  names: readonly string[],
  next: () => number,
): Promise<Write[]> {
  const writes: Write[] = []
  for (const name of names.filter(() => next() < 0.25)) {
    const version = (next() < 0.7 ? (await store.get(key(name)))?.version : '1') ?? 'absent'
    const kind = next()
    if (kind < 0.2) writes.push({ check: key(name), if: version })
    else if (kind < 0.4 && version !== 'absent') writes.push({ remove: key(name), if: version })
    else writes.push({ put: key(name), value: new Uint8Array(next() * 200), if: version })
  }
  return writes
}
