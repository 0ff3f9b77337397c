/** Listings: one partition, one prefix, UTF-8 byte order, nothing missing. */
import { expect } from 'vitest'
import type { Store } from '../../../core/ports/store.ts'
import type { Law } from '../laws.ts'
import { law, put, type StoreSubject, sorts, versionOf, write } from './subject.ts'

async function fill(store: Store, names: readonly string[]): Promise<void> {
  for (let at = 0; at < names.length; at += 50)
    await write(store, ...names.slice(at, at + 50).map((name) => put(name, name)))
}

export const listLaws: readonly Law<StoreSubject>[] = [
  law('a listing is in UTF-8 byte order', async ({ store }) => {
    // JavaScript's own order puts U+1F600 before U+FF61.
    const ordered = [
      '\u0001',
      '!',
      'A',
      'Z',
      'a',
      'aa',
      'a\u{1f600}',
      'b',
      '\u007f',
      '\u0080',
      'é',
      '\ud7ff',
      '\ue000',
      '\uff61',
      '\uffff',
      '\u{10000}',
      '\u{1f600}',
      '\u{10ffff}',
    ]
    await fill(store, [...ordered].reverse())
    expect(await sorts(store)).toEqual(ordered)
    expect(await sorts(store, '', '\uff61')).toEqual(ordered.slice(14))
    expect(await sorts(store, '', '\u{1f600}')).toEqual(['\u{10ffff}'])
  }),

  law('a prefix ends where its siblings begin', async ({ store }) => {
    const names = [
      'o',
      'p',
      'p-',
      'p/',
      'p/a',
      'p/b/c',
      'p/\u{10ffff}',
      'p/\u{10ffff}x',
      'p0',
      'pq',
      'P/',
      '%',
      '_',
    ]
    await fill(store, names)
    expect(await sorts(store, 'p/')).toEqual([
      'p/',
      'p/a',
      'p/b/c',
      'p/\u{10ffff}',
      'p/\u{10ffff}x',
    ])
    expect(await sorts(store, 'p/\u{10ffff}')).toEqual(['p/\u{10ffff}', 'p/\u{10ffff}x'])
    expect(await sorts(store, '%')).toEqual(['%'])
    expect(await sorts(store, '_')).toEqual(['_'])
    expect(await sorts(store, 'nothing')).toEqual([])
  }),

  law('a prefix may end in any character', async ({ store }) => {
    const ends = ['\ud7ff', '\ue000', '\u{10ffff}', '\u{ffff}', '\u{10000}', '\u007f']
    await fill(store, [...ends, ...ends.map((end) => `${end}x`)])
    for (const end of ends) expect(await sorts(store, end)).toEqual([end, `${end}x`])
  }),

  law('a listing stays in its partition', async ({ store }) => {
    await write(store, put('a', '1'), put('b', '2', 'absent', 'p2'), put('c', '3', 'absent', 'o'))
    await write(store, put('d', '4', 'absent', 'p/'), put('e', '5', 'absent', 'P'))
    expect(await sorts(store)).toEqual(['a'])
    expect(await sorts(store, '', undefined, 'p2')).toEqual(['b'])
    expect(await sorts(store, '', undefined, 'nothing')).toEqual([])
  }),

  law('a listing is complete across pages', async ({ store }) => {
    const names = Array.from({ length: 700 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    await fill(store, ['a', ...names, 'z'])
    expect(await sorts(store, 'k/')).toEqual(names)
    expect(await sorts(store)).toEqual(['a', ...names, 'z'])
  }),

  law('a listing goes on after the key that it is told', async ({ store }) => {
    const names = ['a', 'k/1', 'k/1/x', 'k/2', 'k/3', 'l']
    await fill(store, names)
    expect(await sorts(store, 'k/', 'k/1')).toEqual(['k/1/x', 'k/2', 'k/3'])
    expect(await sorts(store, 'k/', 'k/10')).toEqual(['k/2', 'k/3'])
    expect(await sorts(store, 'k/', 'a')).toEqual(['k/1', 'k/1/x', 'k/2', 'k/3'])
    expect(await sorts(store, 'k/', 'k/3')).toEqual([])
    expect(await sorts(store, 'k/', 'z')).toEqual([])
    expect(await sorts(store, '', 'k/3')).toEqual(['l'])
    const paged: string[] = []
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const [next] = await sorts(store, '', after)
      if (next === undefined) break
      paged.push(next)
    }
    expect(paged).toEqual(names)
  }),

  law('a listing under way shows every record that stays', async ({ store }) => {
    const names = Array.from({ length: 600 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    await fill(store, names)
    const seen: string[] = []
    for await (const { key } of store.list('p', 'k/')) {
      seen.push(key.sort)
      if (seen.length % 100 !== 0) continue
      // Around the listing, records come, change and go.
      await write(store, put(`a${seen.length}`, 'new'), put(`z${seen.length}`, 'new'))
      const later = names[seen.length + 50]
      if (later) await write(store, put(later, 'changed', await versionOf(store, later)))
    }
    expect(seen).toEqual(names)
  }),

  law('a listing may be left early', async ({ store }) => {
    await fill(
      store,
      Array.from({ length: 300 }, (_, i) => `k${i}`),
    )
    for await (const { key } of store.list('p', '')) {
      expect(key.sort).toBe('k0')
      break
    }
    await write(store, put('a', 'after'))
    expect((await sorts(store)).length).toBe(301)
  }),
]
