/** Stores that break one promise each. */
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Batch, Key, Outcome, Store, Stored, Write } from '../../../core/ports/store.ts'
import type { Law, Mutant } from '../laws.ts'
import { storeWith } from '../store/delegate.ts'
import { memorySubject } from '../store/memory.ts'
import type { Opened, StoreSubject } from '../store/subject.ts'
import { storeLaws } from '../store.ts'

export const laws: readonly Law<StoreSubject>[] = storeLaws

type Change = (store: Store, log: LogStore) => Partial<Store>

function broken(change: Change): StoreSubject {
  return {
    name: 'store/mutant',
    async open() {
      const sound = await memorySubject.open()
      let store: Store
      const breakIt = (): void => {
        store = storeWith(sound.store, change(sound.store, sound.log))
      }
      breakIt()
      const opened: Opened = {
        get store() {
          return store
        },
        get log() {
          return sound.log
        },
        async reopen() {
          await sound.reopen()
          breakIt()
          return opened
        },
        dispose: () => sound.dispose(),
      }
      return opened
    },
  }
}

const keyOf = (one: Write): Key =>
  'put' in one ? one.put : 'remove' in one ? one.remove : one.check
const same = (a: Key, b: Key): boolean => a.partition === b.partition && a.sort === b.sort
async function* listed(found: Iterable<Stored>): AsyncGenerator<Stored> {
  yield* found
}

/** The write, for whatever version its record has. */
async function forced(store: Store, one: Write): Promise<Write> {
  const version = (await store.get(keyOf(one)))?.version
  return { ...one, if: version ?? 'absent' } as Write
}

const aliased: Change = (store) => {
  const known = new Map<string, Stored>()
  return {
    async get(key) {
      const stored = await store.get(key)
      if (!stored) return undefined
      const shared = known.get(stored.version) ?? stored
      known.set(stored.version, shared)
      return shared
    },
  }
}

const stale: Change = (store) => {
  const known = new Map<string, Promise<Stored | undefined>>()
  return {
    get(key) {
      const at = JSON.stringify(key)
      const reading = known.get(at) ?? store.get(key)
      known.set(at, reading)
      return reading
    },
  }
}

const byContent: Change = (store) => {
  const etag = ({ value }: Stored): string => `etag ${Buffer.from(value).toString('hex')}`
  const translate = async (one: Write): Promise<Write> => {
    const stored = await store.get(keyOf(one))
    return stored && one.if === etag(stored) ? ({ ...one, if: stored.version } as Write) : one
  }
  return {
    async get(key) {
      const stored = await store.get(key)
      return stored && { ...stored, version: etag(stored) }
    },
    async commit(batches) {
      const outcomes: Outcome[] = []
      for (const batch of batches) {
        const writes = await Promise.all(batch.writes.map(translate))
        outcomes.push(...(await store.commit([{ ...batch, writes }])))
      }
      return outcomes
    },
  }
}

const racy: Change = (store) => ({
  async commit(batches) {
    const stored = await Promise.all(
      batches.map(({ writes }) => Promise.all(writes.map((one) => store.get(keyOf(one))))),
    )
    // Here the others do the same.
    await new Promise(setImmediate)
    const outcomes: Outcome[] = []
    for (const [i, batch] of batches.entries()) {
      const lost = batch.writes.find((one, j) => (stored[i]?.[j]?.version ?? 'absent') !== one.if)
      if (lost) outcomes.push({ conflict: keyOf(lost) })
      else {
        const writes = await Promise.all(batch.writes.map((one) => forced(store, one)))
        outcomes.push(...(await store.commit([{ ...batch, writes }])))
      }
    }
    return outcomes
  },
})

const partial: Change = (store) => ({
  async commit(batches) {
    const outcomes: Outcome[] = []
    for (const { writes, leaf } of batches) {
      const each = await store.commit(writes.map((one) => ({ writes: [one] })))
      const failed = each.find((outcome) => 'conflict' in outcome || 'error' in outcome)
      const [last] = await store.commit([{ writes: [], ...(leaf ? { leaf } : {}) }])
      outcomes.push(failed ?? last ?? {})
    }
    return outcomes
  },
})

const blind: Change = (store) => ({
  async commit(batches) {
    const outcomes: Outcome[] = []
    for (const batch of batches) {
      const writes = batch.writes.map((one) => ('put' in one ? forced(store, one) : one))
      outcomes.push(...(await store.commit([{ ...batch, writes: await Promise.all(writes) }])))
    }
    return outcomes
  },
})

/** What a group wrote is not seen by the rest of it. */
const groupBlind: Change = (store) => ({
  async commit(batches) {
    const outcomes: Outcome[] = []
    const written: Key[] = []
    for (const batch of batches) {
      const writes = batch.writes.map((one) =>
        written.some((key) => same(key, keyOf(one))) ? forced(store, one) : one,
      )
      outcomes.push(...(await store.commit([{ ...batch, writes: await Promise.all(writes) }])))
      written.push(...batch.writes.map(keyOf))
    }
    return outcomes
  },
})

const poisoned: Change = (store) => ({
  async commit(batches) {
    const writes = batches.flatMap((batch) => batch.writes)
    const checks: Batch = {
      writes: await Promise.all(
        writes.map(async (one) => ({ check: keyOf(one), if: one.if }) as Write),
      ),
    }
    const [first] = batches.length > 1 ? await store.commit([checks]) : [{}]
    if (first && 'conflict' in first) return batches.map(() => first)
    return store.commit(batches)
  },
})

const rejecting: Change = (store) => ({
  async commit(batches) {
    const outcomes = await store.commit(batches)
    for (const outcome of outcomes) if ('error' in outcome) throw outcome.error
    return outcomes
  },
})

const lastWins: Change = (store) => ({
  commit: (batches) =>
    store.commit(
      batches.map(({ writes, ...rest }) => ({
        ...rest,
        writes: writes.filter(
          (one, i) => !writes.slice(i + 1).some((later) => same(keyOf(one), keyOf(later))),
        ),
      })),
    ),
})

const leafAnyway: Change = (store) => ({
  async commit(batches) {
    const outcomes = await store.commit(batches)
    for (const [i, outcome] of outcomes.entries()) {
      const leaf = batches[i]?.leaf
      if ('conflict' in outcome && leaf) await store.commit([{ writes: [], leaf }])
    }
    return outcomes
  },
})

const utf16: Change = (store) => ({
  async *list(partition, prefix, after) {
    const all: Stored[] = []
    for await (const stored of store.list(partition, prefix, after)) all.push(stored)
    yield* listed(all.sort((a, b) => (a.key.sort < b.key.sort ? -1 : 1)))
  },
})

const onePage: Change = (store) => ({
  async *list(partition, prefix, after) {
    let count = 0
    for await (const stored of store.list(partition, prefix, after)) {
      if (++count > 256) return
      yield stored
    }
  },
})

const inclusive: Change = (store) => ({
  async *list(partition, prefix, after) {
    for await (const stored of store.list(partition, prefix)) {
      if (
        after === undefined ||
        Buffer.compare(Buffer.from(stored.key.sort), Buffer.from(after)) >= 0
      )
        yield stored
    }
  },
})

/** Rewrites every key on its way in. */
function renaming(rename: (key: Key) => Key): Change {
  return (store) => ({
    get: (key) => store.get(rename(key)),
    commit: (batches) =>
      store.commit(
        batches.map((batch) => ({
          ...batch,
          writes: batch.writes.map((one): Write => {
            if ('put' in one) return { ...one, put: rename(one.put) }
            return 'remove' in one
              ? { ...one, remove: rename(one.remove) }
              : { ...one, check: rename(one.check) }
          }),
        })),
      ),
  })
}

export const mutants: readonly Mutant<StoreSubject>[] = (
  [
    ['returns its own bytes', 'bytes given and bytes returned are copies', aliased],
    [
      'reads from a cache that nobody refreshes',
      'a read sees every commit that has returned',
      stale,
    ],
    [
      'takes the content for the version',
      'a removed and re-created record never matches an old version',
      byContent,
    ],
    ['checks first and writes later', 'of 32 racers on one version exactly one wins', racy],
    ['writes one by one', 'one failed check leaves no trace of its batch', partial],
    ['writes whatever the version', 'a put replaces the version that it names and no other', blind],
    [
      'looks at the state before the group',
      'a batch sees what the ones before it in the group wrote',
      groupBlind,
    ],
    [
      'lets one conflict fail the group',
      'a batch that conflicts fails alone in its group',
      poisoned,
    ],
    [
      'lets one bad batch fail the group',
      'the largest value is taken and one byte more is refused',
      rejecting,
    ],
    ['lets the last write of a key win', 'a key that stands twice in a batch is refused', lastWins],
    [
      'logs what conflicted',
      'leaves get consecutive indexes in the order of their batches',
      leafAnyway,
    ],
    ['lists in UTF-16 order', 'a listing is in UTF-8 byte order', utf16],
    ['lists one page', 'a listing is complete across pages', onePage],
    [
      'lists the key it was told to go on after',
      'a listing goes on after the key that it is told',
      inclusive,
    ],
    [
      'lists what stands beside a prefix',
      'a prefix ends where its siblings begin',
      (store) => ({
        list: (partition, prefix, after) => store.list(partition, prefix.slice(0, 1), after),
      }),
    ],
    [
      'ignores the case of keys',
      'keys that look alike are different keys',
      renaming(({ partition, sort }) => ({ partition, sort: sort.toLowerCase() })),
    ],
    [
      'joins partition and sort key',
      'partition and sort key do not run into each other',
      renaming(({ partition, sort }) => ({ partition: 'all', sort: `${partition}/${sort}` })),
    ],
    [
      'takes one byte more',
      'the largest value is taken and one byte more is refused',
      (store) => ({ maxValueBytes: store.maxValueBytes - 1 }),
    ],
    [
      'takes one write more',
      'the largest batch is taken and one write more is refused',
      (store) => ({ maxBatch: store.maxBatch - 1 }),
    ],
    [
      'says that it is durable',
      'reopening shows what was committed, on a durable store',
      () => ({ durable: true }),
    ],
    [
      'goes on after close',
      'after close every method throws closed, but for close itself',
      () => ({ close: async () => undefined }),
    ],
  ] satisfies [string, string, Change][]
).map(([name, law, change]) => ({ name, law, subject: broken(change) }))
