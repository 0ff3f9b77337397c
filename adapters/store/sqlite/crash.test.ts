import { expect, test } from 'vitest'
import { leafHash } from '../../../core/log/leaf.ts'
import { random, text } from '../../../test/conformance/bytes.ts'
import { bytes, close, newPath, open, start } from '../../../test/sqlite/kit.ts'

const ROUNDS = 20
const SEED = 1 + (Number(process.env.ASSAY_SEED) || 0)

/** Kills a writer at a random moment after its start. Gives the last index and version that it acknowledged. */
async function killedWriter(
  path: string,
  afterMs: number,
): Promise<{ index: number; version: number }> {
  const writer = start('write', path)
  await writer.opened()
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  writer.process.kill('SIGKILL')
  const lines = (await writer.ended()).slice(1) as { index: number; version: number }[]
  expect(lines.map(({ index }) => index)).toEqual(lines.map((_, i) => (lines[0]?.index ?? 0) + i))
  return lines.at(-1) ?? { index: -1, version: 0 }
}

/** Leaf, counter and record of a commit are one: the newest of each is of the same commit, and no record is missing or left over. */
async function checkAll(path: string, acknowledged: number): Promise<void> {
  const pair = await open(path, { integrity: 'full' })
  const size = Number(await pair.log.size())
  expect(size).toBeGreaterThan(acknowledged)
  const counter = await pair.store.get({ partition: 'p', sort: 'counter' })
  expect(text(counter?.value)).toBe(size === 0 ? undefined : String(size - 1))
  const records: string[] = []
  for await (const { key } of pair.store.list('p', 'record ')) records.push(key.sort)
  const expected = Array.from({ length: size }, (_, i) => `record ${i}`)
  expect(records).toEqual(expected.sort())
  for (const index of [0, acknowledged, size - 1].filter((one) => one >= 0 && one < size)) {
    expect(await pair.log.leaves(BigInt(index), 1)).toEqual([bytes(`leaf ${index}`)])
    expect(await pair.log.indexOf(leafHash(`leaf ${index}`))).toBe(BigInt(index))
  }
  await close(pair)
}

test(`what was acknowledged survives ${ROUNDS} kills, and nothing half happened (seed ${SEED})`, async () => {
  const path = newPath()
  const next = random(SEED)
  let acknowledged = { index: -1, version: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const last = await killedWriter(path, next() * 150)
    if (last.index >= 0) {
      expect(last.version).toBeGreaterThan(acknowledged.version)
      acknowledged = last
    }
    await checkAll(path, acknowledged.index)
  }
  expect(acknowledged.index).toBeGreaterThan(ROUNDS)
}, 60_000)
