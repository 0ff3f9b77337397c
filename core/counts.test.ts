import { expect, it } from 'vitest'
import { manualClock } from '../adapters/clock/manual.ts'
import { Counts } from './counts.ts'
import { decodeLeaf } from './log/leaf.ts'
import type { CountsLeaf } from './log/leaves.ts'

it('keeps within what a leaf takes, and loses no count', () => {
  const counts = new Counts('refused', manualClock(1_790_000_000_000))
  for (let i = 0; i < 1000; i++) counts.add('http', `code_${i}`)
  const leaf = decodeLeaf(counts.take() as string) as CountsLeaf
  expect(leaf.counts).toHaveLength(256)
  expect(leaf.counts.reduce((sum, { count }) => sum + count, 0)).toBe(1000)
  expect(leaf.counts.find(({ source }) => source === 'other')?.count).toBe(745)
})

it('has no window that ends before it begins', () => {
  const clock = manualClock(1_790_000_000_000)
  const counts = new Counts('checks', clock)
  clock.set(1_780_000_000_000)
  counts.add('note.read', 'allow')
  expect(decodeLeaf(counts.take() as string)).toMatchObject({
    from: 1_790_000_000,
    to: 1_790_000_000,
  })
  expect(counts.take()).toBeUndefined()
})
