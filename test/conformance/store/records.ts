/** One record: written under a condition, read back, gone, and back again. */
import { expect } from 'vitest'
import { bytes, text } from '../bytes.ts'
import type { Law } from '../laws.ts'
import { refusal } from '../laws.ts'
import { key, law, put, type StoreSubject, sorts, versionOf, write } from './subject.ts'

export const recordLaws: readonly Law<StoreSubject>[] = [
  law('what is absent reads undefined', async ({ store }) => {
    expect(await store.get(key('a'))).toBeUndefined()
    expect(await sorts(store)).toEqual([])
    await write(store, put('a', '1'))
    expect(await store.get(key('b'))).toBeUndefined()
    expect(await store.get(key('a', 'q'))).toBeUndefined()
  }),

  law('a value reads back byte for byte, the empty one too', async ({ store }) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    await write(store, { put: key('all'), value: all, if: 'absent' }, put('empty', ''))
    expect(await store.get(key('all'))).toEqual({
      key: key('all'),
      value: all,
      version: expect.any(String),
    })
    expect((await store.get(key('empty')))?.value).toEqual(new Uint8Array())
  }),

  law('a second put-if-absent conflicts and names the key', async ({ store }) => {
    expect(await write(store, put('a', '1'))).not.toHaveProperty('conflict')
    expect(await write(store, put('b', '1'), put('a', '2'))).toEqual({ conflict: key('a') })
    expect(text((await store.get(key('a')))?.value)).toBe('1')
  }),

  law('a put replaces the version that it names and no other', async ({ store }) => {
    await write(store, put('a', '1'))
    const first = await versionOf(store, 'a')
    expect(await write(store, put('a', '2', first))).not.toHaveProperty('conflict')
    expect(await write(store, put('a', '3', first))).toEqual({ conflict: key('a') })
    expect(await write(store, put('a', '3', 'no version'))).toEqual({ conflict: key('a') })
    expect(await write(store, put('b', '3', first))).toEqual({ conflict: key('b') })
    expect(text((await store.get(key('a')))?.value)).toBe('2')
  }),

  law('a remove takes the version that it names and no other', async ({ store }) => {
    await write(store, put('a', '1'))
    const first = await versionOf(store, 'a')
    await write(store, put('a', '2', first))
    expect(await write(store, { remove: key('a'), if: first })).toEqual({ conflict: key('a') })
    const second = await versionOf(store, 'a')
    expect(await write(store, { remove: key('a'), if: second })).not.toHaveProperty('conflict')
    expect(await store.get(key('a'))).toBeUndefined()
    expect(await sorts(store)).toEqual([])
    expect(await write(store, { remove: key('a'), if: second })).toEqual({ conflict: key('a') })
  }),

  law('a removed and re-created record never matches an old version', async (opened) => {
    const seen = new Set<string>()
    const round = async (): Promise<void> => {
      const { store } = opened
      await write(store, put('a', 'same'))
      const version = await versionOf(store, 'a')
      expect(seen).not.toContain(version)
      for (const old of seen) {
        expect(await write(store, { check: key('a'), if: old })).toEqual({ conflict: key('a') })
      }
      seen.add(version)
      await write(store, { remove: key('a'), if: version })
    }
    for (let i = 0; i < 5; i++) await round()
    if (!opened.store.durable) return
    const { store } = await opened.reopen()
    await write(store, put('a', 'same'))
    expect(seen).not.toContain(await versionOf(store, 'a'))
  }),

  law('a read sees every commit that has returned', async ({ store }) => {
    for (let i = 0; i < 20; i++) {
      await write(store, put('a', String(i), await versionOf(store, 'a')))
      expect(text((await store.get(key('a')))?.value)).toBe(String(i))
      const listed: (string | undefined)[] = []
      for await (const { value } of store.list('p', '')) listed.push(text(value))
      expect(listed).toEqual([String(i)])
    }
    await write(store, { remove: key('a'), if: await versionOf(store, 'a') })
    expect(await store.get(key('a'))).toBeUndefined()
    await write(store, put('a', 'again'))
    expect(text((await store.get(key('a')))?.value)).toBe('again')
  }),

  law('bytes given and bytes returned are copies', async ({ store }) => {
    // A Node buffer's own slice shares its memory.
    const given = Buffer.from('given')
    const commit = store.commit([{ writes: [{ put: key('a'), value: given, if: 'absent' }] }])
    given.fill(0)
    await commit
    const read = await store.get(key('a'))
    expect(text(read?.value)).toBe('given')
    read?.value.fill(0)
    expect(text((await store.get(key('a')))?.value)).toBe('given')
    for await (const { value } of store.list('p', '')) value.fill(0)
    expect(text((await store.get(key('a')))?.value)).toBe('given')

    const later = bytes('later')
    await write(store, { put: key('a'), value: later, if: await versionOf(store, 'a') })
    later.fill(0)
    expect(text((await store.get(key('a')))?.value)).toBe('later')
  }),

  law('keys that look alike are different keys', async ({ store }) => {
    const alike = [
      'a',
      'A',
      'a ',
      ' a',
      'å',
      'a\u030a',
      '%',
      '_',
      '*',
      "'",
      '"',
      '\\',
      '\n',
      '1',
      '01',
    ]
    const names = [...alike, '__proto__', 'constructor', 'toString', 'null', '\u{1f600}', '\uff61']
    for (const name of names) await write(store, put(name, `sort ${name}`))
    for (const name of names) await write(store, put('x', `partition ${name}`, 'absent', name))
    for (const name of names) {
      expect(text((await store.get(key(name)))?.value)).toBe(`sort ${name}`)
      expect(text((await store.get(key('x', name)))?.value)).toBe(`partition ${name}`)
    }
    expect((await sorts(store)).length).toBe(names.length)
  }),

  law('partition and sort key do not run into each other', async ({ store }) => {
    const keys = [
      key('b/c', 'a'),
      key('c', 'a/b'),
      key('bc', 'a'),
      key('c', 'ab'),
      key('b\u0001c', 'a'),
    ]
    for (const [i, { partition, sort }] of keys.entries())
      await write(store, put(sort, String(i), 'absent', partition))
    for (const [i, each] of keys.entries())
      expect(text((await store.get(each))?.value)).toBe(String(i))
  }),

  law('reopening shows what was committed, on a durable store', async (opened) => {
    const { store } = opened
    await write(store, put('a', '1'), put('b', '2'), put('c', '3'))
    const version = await versionOf(store, 'a')
    await write(store, put('a', '4', version), {
      remove: key('c'),
      if: await versionOf(store, 'c'),
    })
    const before = await store.get(key('a'))
    const again = await opened.reopen()
    if (!again.store.durable) {
      expect(await sorts(again.store)).toEqual([])
      return
    }
    expect(await sorts(again.store)).toEqual(['a', 'b'])
    expect(await again.store.get(key('a'))).toEqual(before)
    expect(await write(again.store, put('a', '5', version))).toEqual({ conflict: key('a') })
    expect(await write(again.store, put('a', '5', before?.version))).not.toHaveProperty('conflict')
  }),

  law('after close every method throws closed, but for close itself', async ({ store }) => {
    await write(store, put('a', '1'))
    const listing = store.list('p', '')[Symbol.asyncIterator]()
    await store.close()
    await store.close()
    expect(await refusal(store.get(key('a')))).toBe('closed')
    expect(await refusal(store.commit([]))).toBe('closed')
    expect(await refusal(sorts(store))).toBe('closed')
    expect(await refusal(listing.next())).toBe('closed')
  }),
]
