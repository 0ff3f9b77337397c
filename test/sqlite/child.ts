/**
 * Another process on a database, for tests: `child.ts VERB PATH [uid]`. Prints one JSON value a line. `uid` is a user to become after
 * everything is loaded, so that modes mean something when the tests run as root.
 *
 * - `hold`: opens to write and stays until it is killed.
 * - `write`: commits in a loop and prints each acknowledged index and version.
 * - `fill`: commits until that fails, and prints what came of it and of the calls after it.
 * - `try`, `read`: opens to write or to read and prints what it finds, or the code of what it was refused for.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { KernelError } from '../../core/error.ts'
import type { Batch, Store } from '../../core/ports/store.ts'

const [, , verb, path = '', uid] = process.argv
const print = (value: unknown): void => console.log(JSON.stringify(value))
const encoder = new TextEncoder()

/** What the n-th batch of these tests is: a counter that goes up, a record of its own, a leaf. */
async function batchOf(store: Store, n: number): Promise<Batch> {
  const counter = { partition: 'p', sort: 'counter' }
  const known = await store.get(counter)
  return {
    writes: [
      { put: counter, value: encoder.encode(String(n)), if: known?.version ?? 'absent' },
      {
        put: { partition: 'p', sort: `record ${n}` },
        value: new Uint8Array(2000).fill(n),
        if: 'absent',
      },
    ],
    leaf: encoder.encode(`leaf ${n}`),
  }
}

const codeOf = (error: unknown): string =>
  error instanceof KernelError ? error.code : String(error)
const outcomeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'ok', codeOf)

async function write(acknowledged: (line: object) => void): Promise<Store> {
  const { store, log } = await openSqlite({ path })
  print('open')
  for (let n = Number(await log.size()); ; n++) {
    try {
      const [outcome] = await store.commit([await batchOf(store, n)])
      if (!outcome || !('index' in outcome)) throw new Error(`no index: ${JSON.stringify(outcome)}`)
      const version = (await store.get({ partition: 'p', sort: `record ${n}` }))?.version
      acknowledged({ index: Number(outcome.index), version: Number(version) })
    } catch (error) {
      print({ failed: codeOf(error) })
      return store
    }
    // Kills arrive between turns too.
    if (n % 16 === 0) await pause(0)
  }
}

async function fill(): Promise<void> {
  let last: object = { index: -1 }
  const store = await write((line) => {
    last = line
  })
  print(last)
  print({ commit: await outcomeOf(store.commit([{ writes: [] }])) })
  print({ get: await outcomeOf(store.get({ partition: 'p', sort: 'counter' })) })
  print({ close: await outcomeOf(store.close()) })
}

async function open(readOnly: boolean): Promise<void> {
  const { store, log } = await openSqlite({ path, readOnly })
  const counter = await store.get({ partition: 'p', sort: 'counter' })
  print({
    size: Number(await log.size()),
    counter: counter && new TextDecoder().decode(counter.value),
  })
  await store.close()
  await log.close()
}

if (uid !== undefined) process.setuid?.(Number(uid))
try {
  if (verb === 'write') await write(print)
  if (verb === 'fill') await fill()
  if (verb === 'try' || verb === 'read') await open(verb === 'read')
  if (verb === 'hold') {
    await openSqlite({ path })
    print('open')
    await pause(600_000)
  }
} catch (error) {
  print({ refused: codeOf(error) })
}
