/** What every decision writes lies in many item collections, and is listed as if it lay in one. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PARTITION } from '../../../core/decision.ts'
import type { Store } from '../../../core/ports/store.ts'
import { compareUtf8 } from '../../../core/storage.ts'
import { type Law, registerLaws } from '../../../test/conformance/laws.ts'
import { storeWith } from '../../../test/conformance/store/delegate.ts'
import { dynamoSubject } from '../../../test/conformance/store/dynamodb.ts'
import { listLaws } from '../../../test/conformance/store/lists.ts'
import {
  type Opened,
  put,
  type StoreSubject,
  sorts,
  write,
} from '../../../test/conformance/store/subject.ts'
import { recordKey, recordPks } from './keys.ts'

/** The laws of listings, in the partition of decisions. */
const laws: readonly Law<StoreSubject>[] = listLaws
const partitionOf = (name: string): string => (name === 'p' ? PARTITION.decision : name)
function moved(store: Store): Store {
  return storeWith(store, {
    get: ({ partition, sort }) => store.get({ partition: partitionOf(partition), sort }),
    list: (partition, prefix, after) => store.list(partitionOf(partition), prefix, after),
    commit: (batches) =>
      store.commit(
        batches.map((batch) => ({
          ...batch,
          writes: batch.writes.map((one) => {
            if ('put' in one)
              return { ...one, put: { ...one.put, partition: partitionOf(one.put.partition) } }
            const named = 'remove' in one ? one.remove : one.check
            const key = { ...named, partition: partitionOf(named.partition) }
            return 'remove' in one ? { ...one, remove: key } : { ...one, check: key }
          }),
        })),
      ),
  })
}
registerLaws('store (listings)', laws, {
  ...dynamoSubject,
  name: 'store/dynamodb, in many item collections',
  async open(): Promise<Opened> {
    const opened = await dynamoSubject.open()
    const store = moved(opened.store)
    return {
      store,
      log: opened.log,
      reopen: () => opened.reopen(),
      dispose: () => opened.dispose(),
    }
  },
})

test('any keys, any prefix, any start: what a sorted list would give', {
  timeout: 60_000,
}, async () => {
  const opened = await dynamoSubject.open()
  const part = fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '\uff61', '\u{1f600}'),
    maxLength: 3,
  })
  const names = fc.uniqueArray(
    part.filter((name) => name !== ''),
    { minLength: 1, maxLength: 24 },
  )
  let round = 0
  const lists = fc.asyncProperty(names, part, fc.option(part), async (keys, prefix, after) => {
    // A part of the partition for each run.
    const own = `${round++}/`
    const writes = keys.map((name) => put(own + name, '', 'absent', PARTITION.decision))
    expect(await write(opened.store, ...writes)).toEqual({})
    const start = after === null ? undefined : own + after
    const expected = keys
      .map((name) => own + name)
      .filter((name) => name.startsWith(own + prefix))
      .filter((name) => start === undefined || compareUtf8(name, start) > 0)
      .sort(compareUtf8)
    expect(await sorts(opened.store, own + prefix, start, PARTITION.decision)).toEqual(expected)
  })
  await fc.assert(lists, { numRuns: 30 })
  await opened.dispose()
})

test('ids that begin alike lie apart', () => {
  const pks = Array.from({ length: 1000 }, (_, i) => {
    const sort = `01a200863c4e${i.toString(16).padStart(20, '0')}`
    return recordKey('log', { partition: PARTITION.decision, sort }).pk.S
  })
  const counts = recordPks('log', PARTITION.decision).map(
    (pk) => pks.filter((each) => each === pk).length,
  )
  expect(counts.reduce((sum, each) => sum + each)).toBe(1000)
  expect(Math.max(...counts)).toBeLessThan(120)
})
