import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import { Deadline, jittered } from './deadline.ts'

test('jitter stays within its share and is not always the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (ms, share) => {
        const found = jittered(ms, share)
        expect(found).toBeGreaterThanOrEqual(Math.max(1, Math.floor(ms * (1 - share))))
        expect(found).toBeLessThanOrEqual(Math.ceil(ms * (1 + share)) + 1)
      },
    ),
  )
  expect(new Set(Array.from({ length: 50 }, () => jittered(1e6, 0.1))).size).toBeGreaterThan(10)
})

test('whoever waits for what another asked for waits no longer than for its own', async () => {
  const closing = new AbortController()
  const never = new Promise<never>(() => {})
  expect(await refusal(new Deadline(20, closing.signal).of(never))).toBe('unavailable')
  const waiting = refusal(new Deadline(60_000, closing.signal).of(never))
  closing.abort()
  expect(await waiting).toBe('closed')
  expect(await refusal(new Deadline(60_000, closing.signal).backOff(0))).toBe('closed')
  expect(await new Deadline(60_000, new AbortController().signal).of(Promise.resolve(7))).toBe(7)
})
