import { expect, test } from 'vitest'
import { manualClock } from '../../adapters/clock/manual.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import { storeWith } from '../../test/conformance/store/delegate.ts'
import type { Key, Store } from '../ports/store.ts'
import { RecordCache } from '../reads.ts'
import { Pace, View } from './view.ts'

const key = (sort: string): Key => ({ partition: 'note', sort })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const pace = (): Pace => new Pace(manualClock(0))

/** A store in which one of two records exists at every instant, and a view of it. */
async function oneOfTwo() {
  const { log, store } = openMemory()
  let leaf = 0
  const swap = async (): Promise<void> => {
    const [a, b] = await Promise.all([store.get(key('a')), store.get(key('b'))])
    const writes = [a, b].map((stored, i) => {
      const at = key(i === 0 ? 'a' : 'b')
      if (stored) return { remove: at, if: stored.version }
      return { put: at, value: bytes('1'), if: 'absent' }
    })
    const [outcome] = await store.commit([{ writes, leaf: bytes(`leaf ${leaf++}`) }])
    expect(outcome).toHaveProperty('index')
  }
  await store.commit([{ writes: [{ put: key('b'), value: bytes('1'), if: 'absent' }] }])
  /** Swaps after the next read of `sort`. */
  let swapAfter: string | undefined
  const seen: Store = storeWith(store, {
    get: async (asked) => {
      const stored = await store.get(asked)
      if (asked.sort === swapAfter) {
        swapAfter = undefined
        await swap()
      }
      return stored
    },
  })
  return {
    view: await View.open(seen, log, pace()),
    swap,
    swapAfter: (sort: string) => {
      swapAfter = sort
    },
  }
}

test('what was read while nothing was written held at one instant', async () => {
  const { view } = await oneOfTwo()
  expect(await view.get(key('a'))).toBeUndefined()
  expect(await view.get(key('b'))).toBeDefined()
  expect(await view.held(() => expect.fail('nothing changed'))).toBe(true)
})

test('what changed is forgotten, and read anew', async () => {
  const { swap, view } = await oneOfTwo()
  await view.get(key('a'))
  await view.get(key('b'))
  await swap()
  expect(await view.get(key('a'))).toBeUndefined()
  const dropped: string[] = []
  expect(await view.held(({ sort }) => dropped.push(sort))).toBe(false)
  expect(dropped.sort()).toEqual(['a', 'b'])
  expect(await view.get(key('a'))).toBeDefined()
  expect(await view.get(key('b'))).toBeUndefined()
  expect(await view.held(() => expect.fail('nothing changed'))).toBe(true)
})

test('what was absent twice may have been there in between', async () => {
  const { swap, swapAfter, view } = await oneOfTwo()
  expect(await view.get(key('a'))).toBeUndefined()
  await swap()
  expect(await view.get(key('b'))).toBeUndefined()
  await swap()
  // Read again: a is absent, then it is there and b is absent. There was no instant without both.
  swapAfter('a')
  expect(await view.held(() => undefined)).toBe(false)
})

test('a page that would be another one now is read anew', async () => {
  const { swap, view } = await oneOfTwo()
  const { page } = view.reads('note', new RecordCache())
  expect((await page('', undefined, 5)).map(({ sort }) => sort)).toEqual(['b'])
  await swap()
  expect((await page('', undefined, 5)).map(({ sort }) => sort)).toEqual(['b'])
  expect(await view.held(() => undefined)).toBe(false)
  expect((await page('', undefined, 5)).map(({ sort }) => sort)).toEqual(['a'])
  expect(await view.held(() => undefined)).toBe(true)
})

test('nothing can be written through it', async () => {
  const { view } = await oneOfTwo()
  expect(() => view.commit([])).toThrow(TypeError)
})
