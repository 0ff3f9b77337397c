/** Logs that break one promise each. */
import { sha256 } from '../../../core/crypto.ts'
import { LogError } from '../../../core/error.ts'
import type { LogStore, Published } from '../../../core/ports/logstore.ts'
import type { Law, Mutant } from '../laws.ts'
import { logstoreLaws } from '../logstore.ts'
import { logWith } from '../store/delegate.ts'
import { memorySubject } from '../store/memory.ts'
import type { Opened, StoreSubject } from '../store/subject.ts'
import { waitingSubject } from '../store/waiting.ts'

export const laws: readonly Law<StoreSubject>[] = logstoreLaws

type Change = (log: LogStore) => Partial<LogStore>

function broken(change: Change, durable = false, base = memorySubject): StoreSubject {
  return {
    name: 'logstore/mutant',
    async open() {
      const sound = await base.open()
      const log = logWith(sound.log, change(sound.log))
      const store = durable ? { ...storeThatLies(sound), durable: true } : sound.store
      const opened: Opened = {
        log,
        store,
        reopen: async () => ({ ...(await sound.reopen()), store }),
        dispose: () => sound.dispose(),
      }
      return opened
    },
  }
}

function storeThatLies({ store }: Opened): Opened['store'] {
  const { name, ordersOnCommit, maxBatch, maxValueBytes } = store
  return {
    ...{ name, durable: true, ordersOnCommit, maxBatch, maxValueBytes },
    get: (key) => store.get(key),
    list: (partition, prefix, after) => store.list(partition, prefix, after),
    commit: (batches) => store.commit(batches),
    close: () => store.close(),
  }
}

/** Accepts a head that the sound log refuses with `code`, and shows it. */
function accepting(
  refused: (published: Published, newest: Published | undefined) => boolean,
): Change {
  return (log) => {
    let newest: Published | undefined
    return {
      async publish(published) {
        if (!refused(published, newest)) await log.publish(published)
        newest = published
      },
      async checkpoint() {
        return newest?.checkpoint.note ?? log.checkpoint()
      },
    }
  }
}

const tilesFirst: Change = (log) => {
  const tiles = new Map<string, Uint8Array>()
  return {
    async publish(published) {
      for (const { level, index, hashes } of published.tiles) tiles.set(`${level}/${index}`, hashes)
      await log.publish(published)
    },
    tile: async (level, index) => tiles.get(`${level}/${index}`),
  }
}

const later: Change = (log) => {
  let waiting: Published | undefined
  return {
    async publish(published) {
      if (waiting) await log.publish(waiting)
      waiting = published
    },
  }
}

const aliased: Change = (log) => {
  let first: readonly Uint8Array[] | undefined
  return {
    async leaves(from, count) {
      if (from > 0n) return log.leaves(from, count)
      first ??= await log.leaves(from, count)
      return first
    },
  }
}

const firstNote: Change = (log) => {
  let size = -1n
  return {
    async publish(published) {
      if (published.checkpoint.size === size) return
      await log.publish(published)
      size = published.checkpoint.size
    },
  }
}

/** The leaf at 0 is at 1 too. */
const twice: Change = (log) => ({
  async leaves(from, count) {
    const leaves = await log.leaves(from, count)
    const [first] = from <= 1n ? await log.leaves(0n, 1) : []
    return leaves.map((leaf, i) => (from + BigInt(i) === 1n && first ? first : leaf))
  },
})

/** The last leaf is the first, always. */
const reordered: Change = (log) => ({
  async leaves(from, count) {
    const leaves: Uint8Array[] = []
    const size = await log.size()
    for (let at = from; at < size && leaves.length < count; at++)
      leaves.push(...(await log.leaves(size - 1n - at, 1)))
    return leaves
  },
})

/** Says that it did what is asked of it. */
const idle: Change = (log) => ({
  integrate: async () => ({ size: await log.size(), leads: true, pending: 0 }),
})

/** Hashes leaves without RFC 6962's prefix. */
const plainHash: Change = (log) => ({
  async indexOf(hash) {
    for (let index = 0n; index < (await log.size()); index += 1n) {
      const [leaf] = await log.leaves(index, 1)
      if (leaf && Buffer.compare(sha256(leaf), hash) === 0) return index
    }
    return undefined
  },
})

export const mutants: readonly Mutant<StoreSubject>[] = (
  [
    ['finds leaves by their plain hash', 'a leaf is found by its RFC 6962 hash', plainHash],
    [
      'reads no further than a tile',
      'leaves come back in order and verbatim',
      (log) => ({
        leaves: (from, count) => log.leaves(from, Math.min(count, 256 - Number(from % 256n))),
      }),
    ],
    ['shows what was published one head late', 'what is published reads back at once', later],
    [
      'takes any head',
      'a head never goes back',
      accepting(({ checkpoint }, newest) => checkpoint.size < (newest?.checkpoint.size ?? 0n)),
    ],
    [
      'takes any root',
      'a size has one root',
      accepting(({ checkpoint }, newest) => checkpoint.size === newest?.checkpoint.size),
    ],
    [
      'signs for leaves that it lacks',
      'a head ahead of the leaves is refused',
      accepting(({ checkpoint }) => checkpoint.size === 4n),
    ],
    ['writes tiles before it looks at the head', 'a tile never changes', tilesFirst],
    [
      'refuses a head that it has',
      'publishing twice is publishing once',
      (log) => ({
        async publish(published) {
          if (await log.checkpoint()) throw new LogError(log.name, 'conflict', 'published already')
          await log.publish(published)
        },
      }),
    ],
    ['keeps the first note of a head', 'a published head may get more signatures', firstNote],
    [
      'returns its own bytes',
      'bytes given to the log and bytes returned by it are copies',
      aliased,
    ],
    [
      'goes on after close',
      'after close every method of the log throws closed',
      () => ({ close: async () => undefined }),
    ],
  ] satisfies [string, string, Change][]
)
  .map(([name, law, change]) => ({ name, law, subject: broken(change) }))
  .concat(
    (
      [
        [
          'never gives a leaf its place',
          'a leaf has its place when none waits any more, and keeps it',
          idle,
        ],
        [
          'gives places anew each time',
          'a leaf has its place when none waits any more, and keeps it',
          reordered,
        ],
        [
          'gives a leaf two places',
          'a leaf has one place, whoever integrates and however often',
          twice,
        ],
      ] satisfies [string, string, Change][]
    ).map(([name, law, change]) => ({ name, law, subject: broken(change, false, waitingSubject) })),
  )
  .concat({
    name: 'forgets what a store kept',
    law: 'reopening shows leaves and what was published, on a durable store',
    subject: broken(() => ({}), true),
  })
