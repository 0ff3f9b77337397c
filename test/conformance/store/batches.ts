/** Batches: all or nothing each, independent of each other, in the order given. */
import { expect } from 'vitest'
import type { Batch, Key, Outcome, Store, Write } from '../../../core/ports/store.ts'
import { bytes, random, text } from '../bytes.ts'
import type { Law } from '../laws.ts'
import {
  inOrder,
  integrated,
  key,
  law,
  put,
  type StoreSubject,
  sorts,
  versionOf,
  write,
} from './subject.ts'

const won = (outcome: Outcome): boolean => !('conflict' in outcome || 'error' in outcome)

export const batchLaws: readonly Law<StoreSubject>[] = [
  law('one failed check leaves no trace of its batch', async ({ store, log }) => {
    await write(store, put('a', '1'), put('b', '1'))
    const [a, b] = [await versionOf(store, 'a'), await versionOf(store, 'b')]
    const writes: Write[] = [
      put('a', '2', a),
      { remove: key('b'), if: b },
      put('c', '2'),
      { check: key('d'), if: 'a version' },
    ]
    const outcomes = await store.commit([{ writes, leaf: bytes('leaf') }])
    expect(outcomes).toEqual([{ conflict: key('d') }])
    expect(await sorts(store)).toEqual(['a', 'b'])
    expect([await versionOf(store, 'a'), await versionOf(store, 'b')]).toEqual([a, b])
    expect(await log.size()).toBe(0n)
    expect(await write(store, ...writes.slice(0, 3))).not.toHaveProperty('conflict')
    expect(await sorts(store)).toEqual(['a', 'c'])
  }),

  law('checks hold what they name and write nothing', async ({ store }) => {
    await write(store, put('a', '1'))
    const version = await versionOf(store, 'a')
    const checks: Write[] = [
      { check: key('a'), if: version },
      { check: key('b'), if: 'absent' },
    ]
    expect(won(await write(store, ...checks))).toBe(true)
    expect(await versionOf(store, 'a')).toBe(version)
    expect(await sorts(store)).toEqual(['a'])
    expect(await write(store, { check: key('a'), if: 'absent' })).toEqual({ conflict: key('a') })
    expect(await write(store, { check: key('b'), if: version })).toEqual({ conflict: key('b') })
  }),

  law('a batch that conflicts fails alone in its group', async (opened) => {
    const { log, store } = opened
    const outcomes = await store.commit([
      { writes: [put('a', '1')], leaf: bytes('first') },
      { writes: [put('b', '2'), { check: key('x'), if: 'nothing' }], leaf: bytes('second') },
      { writes: [put('c', '3')], leaf: bytes('third') },
    ])
    expect(outcomes.map(won)).toEqual([true, false, true])
    expect(await sorts(store)).toEqual(['a', 'c'])
    const indexes = store.ordersOnCommit ? [{ index: 0n }, { index: 1n }] : [{}, {}]
    expect(outcomes).toEqual([indexes[0], { conflict: key('x') }, indexes[1]])
    await integrated(log)
    await inOrder(opened, ['first', 'third'])
  }),

  law('a batch sees what the ones before it in the group wrote', async ({ store }) => {
    const twice = [{ writes: [put('a', '1')] }, { writes: [put('a', '2')] }]
    expect((await store.commit(twice)).map(won)).toEqual([true, false])
    const version = await versionOf(store, 'a')
    const chain: Batch[] = [
      { writes: [{ remove: key('a'), if: version }] },
      { writes: [{ check: key('a'), if: version }] },
      { writes: [put('a', '3')] },
      { writes: [put('a', '4')] },
    ]
    expect((await store.commit(chain)).map(won)).toEqual([true, false, true, false])
    expect(text((await store.get(key('a')))?.value)).toBe('3')
  }),

  law('of 32 racers on one version exactly one wins', async ({ store }) => {
    await write(store, put('a', 'start'))
    for (let round = 0; round < 3; round++) {
      const version = await versionOf(store, 'a')
      const racers = Array.from({ length: 32 }, (_, i) => write(store, put('a', `${i}`, version)))
      const outcomes = await Promise.all(racers)
      expect(outcomes.filter(won).length).toBe(1)
      const winner = outcomes.findIndex(won)
      expect(text((await store.get(key('a')))?.value)).toBe(String(winner))
    }
  }),

  law(
    'two decisions that each check what the other writes do not both commit',
    async ({ store }) => {
      const one: Write[] = [{ check: key('a'), if: 'absent' }, put('b', '1')]
      const other: Write[] = [{ check: key('b'), if: 'absent' }, put('a', '1')]
      const outcomes = await Promise.all([write(store, ...one), write(store, ...other)])
      expect(outcomes.filter(won).length).toBe(1)
      expect((await sorts(store)).length).toBe(1)
    },
  ),

  law('an empty commit and an empty batch are fine', async ({ store }) => {
    expect(await store.commit([])).toEqual([])
    expect((await store.commit([{ writes: [] }])).map(won)).toEqual([true])
  }),

  law('leaves get consecutive indexes in the order of their batches', async (opened) => {
    const { log, store } = opened
    const indexes: (bigint | undefined)[] = []
    for (let group = 0; group < 3; group++) {
      const batches = Array.from({ length: 4 }, (_, i) => ({
        writes: i === 2 ? [{ check: key('x'), if: 'nothing' }] : [],
        ...(i === 1 ? {} : { leaf: bytes(`${group}.${i}`) }),
      }))
      for (const outcome of await store.commit(batches))
        if ('index' in outcome) indexes.push(outcome.index)
    }
    await integrated(log)
    await inOrder(opened, ['0.0', '0.3', '1.0', '1.3', '2.0', '2.3'])
    if (store.ordersOnCommit) expect(indexes).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
    else expect(indexes).toEqual([])
  }),

  law('random batches do what a plain map would do', async ({ store }) => {
    const next = random(20_261_121)
    const model = new Map<string, { value: string; version: string }>()
    for (let round = 0; round < 60; round++) {
      const batches = Array.from({ length: 1 + Math.floor(next() * 6) }, () =>
        randomBatch(next, model),
      )
      const outcomes = await store.commit(batches.map((writes) => ({ writes })))
      for (const [i, writes] of batches.entries()) {
        expect(outcomes[i]).toEqual(expectedOf(writes, model))
        if (!('conflict' in outcomes[i]!)) applyTo(model, writes)
      }
      await learnVersions(store, model)
    }
    expect(model.size).toBeGreaterThan(0)
  }),
]

type Model = Map<string, { value: string; version: string }>

/** Mostly what holds now, sometimes not. Each key stands once. */
function randomBatch(next: () => number, model: Model): Write[] {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].filter(() => next() < 0.4)
  return names.map((name) => {
    const known = model.get(name)?.version
    const version = next() < 0.1 ? 'stale' : (known ?? 'absent')
    const kind = next()
    if (kind < 0.3) return { check: key(name), if: version }
    if (kind < 0.5 && version !== 'absent') return { remove: key(name), if: version }
    return put(name, String(next()), version)
  })
}

const nameOf = (one: Write): Key =>
  'put' in one ? one.put : 'remove' in one ? one.remove : one.check

function expectedOf(writes: readonly Write[], model: Model): unknown {
  const lost = writes.find((one) => (model.get(nameOf(one).sort)?.version ?? 'absent') !== one.if)
  return lost
    ? { conflict: nameOf(lost) }
    : expect.not.objectContaining({ conflict: expect.anything() })
}

/** A version that this group gave is not known yet: nothing generated before can name it. */
function applyTo(model: Model, writes: readonly Write[]): void {
  for (const one of writes) {
    if ('remove' in one) model.delete(one.remove.sort)
    if ('put' in one)
      model.set(one.put.sort, { value: text(one.value) ?? '', version: 'not read yet' })
  }
}

async function learnVersions(store: Store, model: Model): Promise<void> {
  const found = new Map<string, { value: string | undefined; version: string }>()
  for await (const { key: at, value, version } of store.list('p', ''))
    found.set(at.sort, { value: text(value), version })
  expect([...found.keys()]).toEqual([...model.keys()].sort())
  for (const [name, { value }] of model) {
    expect(found.get(name)?.value).toBe(value)
    const read = await store.get(key(name))
    expect({ value: text(read?.value), version: read?.version }).toEqual(found.get(name))
    model.set(name, { value, version: read?.version ?? 'absent' })
  }
}
