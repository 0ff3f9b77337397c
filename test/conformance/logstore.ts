/** The laws of the LogStore port. A log is filled through the store that it is paired with, so the subject is the store's. */
import { expect } from 'vitest'
import { sha256 } from '../../core/crypto.ts'
import { leafHash } from '../../core/log/leaf.ts'
import type { LogStore, Published, Tile } from '../../core/ports/logstore.ts'
import { bytes, text } from './bytes.ts'
import { type Law, refusal } from './laws.ts'
import {
  all,
  inOrder,
  integrated,
  law,
  type Opened,
  put,
  type StoreSubject,
} from './store/subject.ts'

/** Leaves `from` to `to - 1`, waited for where the store orders them later. */
async function fill({ store, log }: Opened, to: number, from = 0): Promise<void> {
  const names = named(from, to)
  for (let at = 0; at < names.length; at += 100)
    await store.commit(names.slice(at, at + 100).map((name) => ({ writes: [], leaf: bytes(name) })))
  await integrated(log)
  expect(await log.size()).toBe(BigInt(to))
}
const named = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `leaf ${from + i}`)

function head(size: number, root = 1, note = `note ${size}.${root}`): Published['checkpoint'] {
  return { size: BigInt(size), root: new Uint8Array(32).fill(root), note: bytes(note) }
}
function tile(level: number, index: bigint, fill = 1): Tile {
  return { level, index, hashes: new Uint8Array(8192).fill(fill) }
}
const publish = (
  log: LogStore,
  checkpoint: Published['checkpoint'],
  ...tiles: Tile[]
): Promise<void> => log.publish({ tiles, checkpoint })
const noteOf = async (log: LogStore): Promise<string | undefined> => text(await log.checkpoint())

export const logstoreLaws: readonly Law<StoreSubject>[] = [
  law('an empty log has nothing', async ({ log }) => {
    expect(await log.size()).toBe(0n)
    expect(await log.leaves(0n, 256)).toEqual([])
    expect(await log.indexOf(leafHash('leaf 0'))).toBeUndefined()
    expect(await log.tile(0, 0n)).toBeUndefined()
    expect(await log.checkpoint()).toBeUndefined()
  }),

  law('leaves come back in order and verbatim', async (opened) => {
    const { log } = opened
    await fill(opened, 600)
    await inOrder(opened, named(0, 600))
    const read = await all(log)
    expect((await log.leaves(599n, 256)).map(text)).toEqual([read[599]])
    expect((await log.leaves(255n, 2)).map(text)).toEqual([read[255], read[256]])
    expect((await log.leaves(100n, 256)).map(text)).toEqual(read.slice(100, 356))
    expect(await log.leaves(600n, 1)).toEqual([])
    expect(await log.leaves(2n ** 64n, 1)).toEqual([])
    for (const [from, count] of [
      [0n, 0],
      [0n, 257],
      [-1n, 1],
      [0n, 1.5],
    ] as const)
      await expect(log.leaves(from, count)).rejects.toThrow(RangeError)
  }),

  law('a leaf is found by its RFC 6962 hash', async (opened) => {
    const { log, store } = opened
    await fill(opened, 300)
    const read = await all(log)
    for (const index of [0, 1, 255, 256, 299])
      expect(await log.indexOf(leafHash(read[index] as string))).toBe(BigInt(index))
    expect(await log.indexOf(sha256(bytes('leaf 1')))).toBeUndefined()
    expect(await log.indexOf(leafHash('leaf 300'))).toBeUndefined()
    expect(await log.indexOf(new Uint8Array(8))).toBeUndefined()
    await store.commit([{ writes: [], leaf: bytes('leaf 7') }])
    await integrated(log)
    const index = await log.indexOf(leafHash('leaf 7'))
    expect([BigInt(read.indexOf('leaf 7')), 300n]).toContain(index)
  }),

  law('what is published reads back at once', async (opened) => {
    const { log } = opened
    await fill(opened, 512)
    await publish(log, head(500), tile(0, 0n, 5), tile(0, 1n, 6))
    expect(await noteOf(log)).toBe('note 500.1')
    expect(await log.tile(0, 0n)).toEqual(tile(0, 0n, 5).hashes)
    expect(await log.tile(0, 1n)).toEqual(tile(0, 1n, 6).hashes)
    expect(await log.tile(1, 0n)).toBeUndefined()
    expect(await log.tile(0, 2n ** 64n)).toBeUndefined()
    await publish(log, head(512, 9))
    expect(await noteOf(log)).toBe('note 512.9')
  }),

  law('publishing twice is publishing once', async (opened) => {
    const { log } = opened
    await fill(opened, 256)
    for (let i = 0; i < 3; i++) await publish(log, head(256), tile(0, 0n))
    expect(await noteOf(log)).toBe('note 256.1')
    expect(await log.tile(0, 0n)).toEqual(tile(0, 0n).hashes)
  }),

  law('a published head may get more signatures', async (opened) => {
    await fill(opened, 3)
    await publish(opened.log, head(3, 1, 'one signature'))
    await publish(opened.log, head(3, 1, 'two signatures'))
    expect(await noteOf(opened.log)).toBe('two signatures')
  }),

  law('a head never goes back', async (opened) => {
    const { log } = opened
    await fill(opened, 300)
    await publish(log, head(200))
    expect(await refusal(publish(log, head(199), tile(0, 0n)))).toBe('conflict')
    expect(await noteOf(log)).toBe('note 200.1')
    expect(await log.tile(0, 0n)).toBeUndefined()
  }),

  law('a size has one root', async (opened) => {
    const { log } = opened
    await fill(opened, 300)
    await publish(log, head(200, 1))
    expect(await refusal(publish(log, head(200, 2), tile(0, 0n)))).toBe('conflict')
    expect(await noteOf(log)).toBe('note 200.1')
    expect(await log.tile(0, 0n)).toBeUndefined()
  }),

  law('a tile never changes', async (opened) => {
    const { log } = opened
    await fill(opened, 300)
    await publish(log, head(256), tile(0, 0n, 1))
    expect(await refusal(publish(log, head(300), tile(0, 0n, 2)))).toBe('conflict')
    expect(await log.tile(0, 0n)).toEqual(tile(0, 0n, 1).hashes)
    expect(await noteOf(log)).toBe('note 256.1')
  }),

  law('a head ahead of the leaves is refused', async (opened) => {
    const { log } = opened
    await fill(opened, 3)
    expect(await refusal(publish(log, head(4)))).toBe('missing')
    expect(await log.checkpoint()).toBeUndefined()
    await publish(log, head(3))
  }),

  law('half a tile and half a root are refused', async (opened) => {
    const { log } = opened
    await fill(opened, 256)
    const half = { level: 0, index: 0n, hashes: new Uint8Array(4096) }
    expect(await refusal(publish(log, head(256), half))).toBe('malformed')
    const root = new Uint8Array(31)
    expect(await refusal(publish(log, { ...head(256), root }))).toBe('malformed')
    expect(await log.checkpoint()).toBeUndefined()
  }),

  law('bytes given to the log and bytes returned by it are copies', async (opened) => {
    const { log, store } = opened
    const leaf = Buffer.from('leaf 0')
    const commit = store.commit([{ writes: [], leaf }])
    leaf.fill(0)
    await commit
    await fill(opened, 256, 1)
    const at = (await log.indexOf(leafHash('leaf 0'))) as bigint
    const [checkpoint, full] = [head(256), tile(0, 0n, 3)]
    await publish(log, checkpoint, full)
    for (const given of [checkpoint.note, checkpoint.root, full.hashes]) given.fill(0)
    for (const read of [
      await log.checkpoint(),
      await log.tile(0, 0n),
      ...(await log.leaves(at, 1)),
    ])
      read?.fill(0)
    expect(await noteOf(log)).toBe('note 256.1')
    expect(await log.tile(0, 0n)).toEqual(tile(0, 0n, 3).hashes)
    expect((await log.leaves(at, 1)).map(text)).toEqual(['leaf 0'])
    await publish(log, head(256))
  }),

  law('reopening shows leaves and what was published, on a durable store', async (opened) => {
    await fill(opened, 300)
    await publish(opened.log, head(300, 4), tile(0, 0n, 8))
    const before = await all(opened.log)
    const { log, store } = await opened.reopen()
    if (!store.durable) {
      expect(await log.size()).toBe(0n)
      return
    }
    expect(await log.size()).toBe(300n)
    await inOrder({ ...opened, log, store }, named(0, 300))
    expect(await all(log)).toEqual(before)
    expect(await log.indexOf(leafHash(before[299] as string))).toBe(299n)
    expect(await noteOf(log)).toBe('note 300.4')
    expect(await log.tile(0, 0n)).toEqual(tile(0, 0n, 8).hashes)
    expect(await refusal(publish(log, head(299)))).toBe('conflict')
    expect(await refusal(publish(log, head(300, 4), tile(0, 0n, 7)))).toBe('conflict')
    const [outcome] = await store.commit([{ writes: [put('a', '1')], leaf: bytes('next') }])
    if (store.ordersOnCommit) expect(outcome).toEqual({ index: 300n })
  }),

  law('a leaf has its place when none waits any more, and keeps it', async (opened) => {
    const { log } = opened
    await fill(opened, 40)
    const first = await all(log)
    await fill(opened, 90, 40)
    expect((await all(log)).slice(0, 40)).toEqual(first)
    await inOrder(opened, named(0, 90))
    const { pending, size } = await log.integrate()
    expect({ pending, size }).toEqual({ pending: 0, size: 90n })
  }),

  law('a leaf has one place, whoever integrates and however often', async (opened) => {
    const { log, store } = opened
    const commits = named(0, 60).map((name) => store.commit([{ writes: [], leaf: bytes(name) }]))
    const integrations = Array.from({ length: 8 }, () => log.integrate())
    await Promise.all([...commits, ...integrations])
    await integrated(log)
    await integrated(log)
    expect([...(await all(log))].sort()).toEqual(named(0, 60).sort())
  }),

  law('what waited when the log was closed has its place after it was opened', async (opened) => {
    await fill(opened, 3)
    await opened.store.commit(named(3, 9).map((name) => ({ writes: [], leaf: bytes(name) })))
    const { log, store } = await opened.reopen()
    await integrated(log)
    const kept = store.durable ? named(0, 9) : []
    expect([...(await all(log))].sort()).toEqual(kept)
  }),

  law('after close every method of the log throws closed', async (opened) => {
    const { log } = opened
    await fill(opened, 3)
    await log.close()
    await log.close()
    expect(await refusal(log.size())).toBe('closed')
    expect(await refusal(log.leaves(0n, 1))).toBe('closed')
    expect(await refusal(log.indexOf(leafHash('leaf 0')))).toBe('closed')
    expect(await refusal(log.tile(0, 0n))).toBe('closed')
    expect(await refusal(log.checkpoint())).toBe('closed')
    expect(await refusal(publish(log, head(3)))).toBe('closed')
    expect(await refusal(log.integrate())).toBe('closed')
  }),
]
