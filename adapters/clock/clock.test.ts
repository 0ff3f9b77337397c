import { expect, test } from 'vitest'
import { manualClock } from './manual.ts'
import { systemClock } from './system.ts'

test('the system clock tells whole milliseconds since 1970 and never goes back', () => {
  const before = Date.now()
  const now = systemClock.now()
  expect(Number.isInteger(now)).toBe(true)
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
  let last = systemClock.monotonic()
  for (let i = 0; i < 1000; i++) {
    const next = systemClock.monotonic()
    expect(next).toBeGreaterThanOrEqual(last)
    last = next
  }
})

test('the manual clock moves when it is told to', () => {
  const clock = manualClock(1_000)
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
  clock.advance(250)
  expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
  clock.set(10)
  expect([clock.now(), clock.monotonic()]).toEqual([10, 250])
  expect(() => clock.advance(-1)).toThrow(RangeError)
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError)
})
