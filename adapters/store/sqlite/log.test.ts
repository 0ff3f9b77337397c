import { describe, expect, test } from 'vitest'
import { leafHash } from '../../../core/log/leaf.ts'
import type { Published } from '../../../core/ports/logstore.ts'
import { append, bytes, close, newPath, open, type Pair } from '../../../test/sqlite/kit.ts'

const head = (size: bigint): Published => ({
  tiles: [],
  checkpoint: { size, root: new Uint8Array(32).fill(1), note: bytes(`note ${size}`) },
})
const tile = { level: 0, index: 0n, hashes: new Uint8Array(8192).fill(2) }
const noteOf = async ({ log }: Pair): Promise<Uint8Array | undefined> => log.checkpoint()

describe('what is published', () => {
  test('is written with the next commit', async () => {
    const path = newPath()
    const writer = await open(path)
    const reader = await open(path, { readOnly: true })
    await append(writer, 'a')
    await writer.log.publish({ ...head(1n), tiles: [tile] })
    expect(await noteOf(reader)).toBeUndefined()
    await append(writer, 'b')
    expect(await noteOf(reader)).toEqual(bytes('note 1'))
    expect(await reader.log.tile(0, 0n)).toEqual(tile.hashes)
  })

  test('is written soon when no commit comes', async () => {
    const path = newPath()
    const writer = await open(path)
    const reader = await open(path, { readOnly: true })
    await append(writer, 'a')
    await writer.log.publish(head(1n))
    await expect.poll(() => noteOf(reader), { timeout: 5000 }).toEqual(bytes('note 1'))
  })

  test('is written when the log is closed, whichever half goes first', async () => {
    for (const logFirst of [true, false]) {
      const path = newPath()
      const writer = await open(path)
      await append(writer, 'a')
      await writer.log.publish(head(1n))
      await (logFirst ? writer.log.close() : writer.store.close())
      await close(writer)
      expect(await noteOf(await open(path))).toEqual(bytes('note 1'))
    }
  })

  test('costs one row, however often it is replaced', async () => {
    const path = newPath()
    const writer = await open(path)
    for (let i = 1; i <= 50; i++) {
      await append(writer, `leaf ${i}`)
      await writer.log.publish(head(BigInt(i)))
    }
    expect(await noteOf(writer)).toEqual(bytes('note 50'))
    await close(writer)
    expect(await noteOf(await open(path))).toEqual(bytes('note 50'))
  })
})

test('leaves are found by hash in every run of the index', async () => {
  const path = newPath()
  const writer = await open(path)
  const leaves = Array.from({ length: 9000 }, (_, i) => `leaf ${i}`)
  for (let at = 0; at < leaves.length; at += 1000)
    await append(writer, ...leaves.slice(at, at + 1000))
  for (const index of [0, 4095, 4096, 8191, 8192, 8999])
    expect(await writer.log.indexOf(leafHash(`leaf ${index}`))).toBe(BigInt(index))
  expect(await writer.log.indexOf(leafHash('leaf 9000'))).toBeUndefined()
})
