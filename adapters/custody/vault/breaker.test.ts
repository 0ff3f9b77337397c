import { expect, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import { manualClock } from '../../clock/manual.ts'
import { Breaker } from './breaker.ts'

const clock = manualClock(0)

function isOpen(breaker: Breaker): boolean {
  try {
    breaker.enter()
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(CustodyError)
    expect(error).toMatchObject({ code: 'unavailable' })
    return true
  }
}
function failTimes(breaker: Breaker, times: number): void {
  for (let i = 0; i < times; i++) breaker.failed()
}

test('eight failures in a row open the circuit, and a success in between does not count', () => {
  const breaker = new Breaker('https://vault', clock)
  failTimes(breaker, 7)
  expect(isOpen(breaker)).toBe(false)
  breaker.succeeded()
  failTimes(breaker, 7)
  expect(isOpen(breaker)).toBe(false)
  breaker.failed()
  expect(isOpen(breaker)).toBe(true)
})

test('after a second one request tries, and what becomes of it counts for all', () => {
  const breaker = new Breaker('https://vault', clock)
  failTimes(breaker, 8)
  clock.advance(999)
  expect(isOpen(breaker)).toBe(true)
  clock.advance(1)
  expect([isOpen(breaker), isOpen(breaker)]).toEqual([false, true])
  breaker.failed()
  clock.advance(999)
  expect(isOpen(breaker)).toBe(true)
  clock.advance(1)
  expect(isOpen(breaker)).toBe(false)
  breaker.succeeded()
  expect([isOpen(breaker), isOpen(breaker)]).toEqual([false, false])
})
