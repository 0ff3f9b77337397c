/** Limits are exact: the largest is taken, one more is refused, and a refused batch harms no other. */
import { expect } from 'vitest'
import { StoreError } from '../../../core/error.ts'
import type { Batch, Outcome, Store } from '../../../core/ports/store.ts'
import { bytes } from '../bytes.ts'
import { type Law, refusal } from '../laws.ts'
import { integrated, key, law, put, type StoreSubject, sorts, write } from './subject.ts'

const codeOf = (outcome: Outcome | undefined): string | undefined =>
  outcome && 'error' in outcome && outcome.error instanceof StoreError
    ? outcome.error.code
    : undefined

/** The batch is refused with `code`, and its neighbours are not. */
async function refusedAlone(store: Store, batch: Batch, code: string): Promise<void> {
  const before = await sorts(store, '', undefined, 'neighbours')
  const neighbour = (name: string): Batch => ({
    writes: [put(`${before.length}${name}`, '', 'absent', 'neighbours')],
  })
  const outcomes = await store.commit([neighbour('a'), batch, neighbour('b')])
  expect(outcomes.map(codeOf)).toEqual([undefined, code, undefined])
  expect((await sorts(store, '', undefined, 'neighbours')).length).toBe(before.length + 2)
}

/** 1 to 512 UTF-8 bytes. */
const LONGEST = ['x'.repeat(512), 'é'.repeat(256), '\uff61'.repeat(170), '\u{1f600}'.repeat(128)]
const BAD = [
  '',
  '\0',
  'a\0b',
  '\ud83d',
  '\ude00',
  'a\ud83d',
  ...LONGEST.map((text) => `${text}xxx`),
]

export const limitLaws: readonly Law<StoreSubject>[] = [
  law('a key that stands twice in a batch is refused', async ({ store }) => {
    await refusedAlone(store, { writes: [put('a', '1'), put('a', '2')] }, 'duplicate_key')
    const mixed = [put('a', '1'), { check: key('a'), if: 'absent' } as const]
    await refusedAlone(store, { writes: mixed }, 'duplicate_key')
    expect(await sorts(store)).toEqual([])
    expect(await write(store, put('a', '1'), put('a', '2', 'absent', 'q'))).not.toHaveProperty(
      'error',
    )
  }),

  law('the largest value is taken and one byte more is refused', async ({ store }) => {
    const largest = new Uint8Array(store.maxValueBytes).fill(7)
    expect(await write(store, { put: key('a'), value: largest, if: 'absent' })).not.toHaveProperty(
      'error',
    )
    expect((await store.get(key('a')))?.value).toEqual(largest)
    const value = new Uint8Array(store.maxValueBytes + 1)
    await refusedAlone(store, { writes: [{ put: key('b'), value, if: 'absent' }] }, 'too_large')
    expect(await sorts(store)).toEqual(['a'])
  }),

  law('the largest batch is taken and one write more is refused', async ({ store }) => {
    const names = Array.from({ length: store.maxBatch + 1 }, (_, i) => `k${i}`)
    const [, ...most] = names
    expect(await write(store, ...most.map((name) => put(name, '')))).not.toHaveProperty('error')
    expect((await sorts(store)).length).toBe(store.maxBatch)
    const checks = names.map((name) => ({ check: key(name, 'q'), if: 'absent' }) as const)
    await refusedAlone(store, { writes: checks }, 'batch_too_large')
  }),

  law('the longest keys are taken and every other key is refused', async ({ store }) => {
    for (const name of LONGEST) {
      await write(store, put(name, 'sort'), put('a', 'partition', 'absent', name))
      expect(await store.get(key(name))).toBeDefined()
      expect(await store.get(key('a', name))).toBeDefined()
    }
    for (const name of BAD) {
      for (const bad of [key(name), key('a', name)]) {
        expect(await refusal(store.get(bad))).toBe('invalid_key')
        await refusedAlone(store, { writes: [{ check: bad, if: 'absent' }] }, 'invalid_key')
      }
      expect(await refusal(sorts(store, '', undefined, name))).toBe('invalid_key')
      if (name !== '') expect(await refusal(sorts(store, name))).toBe('invalid_key')
    }
  }),

  law('the longest leaf is taken and every other length is refused', async ({ store, log }) => {
    const longest = new Uint8Array(65_535).fill(1)
    const outcomes = await store.commit([
      { writes: [], leaf: longest },
      { writes: [], leaf: bytes('x') },
    ])
    expect(outcomes.map(codeOf)).toEqual([undefined, undefined])
    await integrated(log)
    const leaves = [...(await log.leaves(0n, 2))].sort((a, b) => b.length - a.length)
    expect(leaves).toEqual([longest, bytes('x')])
    for (const length of [0, 65_536]) {
      const batch = { writes: [put('a', '1')], leaf: new Uint8Array(length) }
      await refusedAlone(store, batch, 'too_large')
    }
    expect(await sorts(store)).toEqual([])
    await integrated(log)
    expect(await log.size()).toBe(2n)
  }),
]
