import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RateLimiter } from './rate.ts'

function limiter(
  perSecond: number,
  burst: number,
  places = 100,
): { readonly limits: RateLimiter; readonly pass: (ms: number) => void } {
  let now = 0
  return {
    limits: new RateLimiter({ perSecond, burst }, () => now, places),
    pass: (ms) => {
      now += ms
    },
  }
}

describe('a rate', () => {
  test('lets a burst in at once, and then one for each step', () => {
    const { limits, pass } = limiter(10, 3)
    expect([1, 2, 3].map(() => limits.take('a'))).toEqual([0, 0, 0])
    expect(limits.take('a')).toBe(100)
    pass(60)
    expect(limits.take('a')).toBe(40)
    pass(40)
    expect(limits.take('a')).toBe(0)
    expect(limits.take('a')).toBe(100)
    expect(limits.take('b')).toBe(0)
  })

  test('has a burst of one second unless another is named, and of one at least', () => {
    const taken = (perSecond: number): number => {
      const limits = new RateLimiter({ perSecond }, () => 0, 10)
      let count = 0
      while (limits.take('a') === 0) count++
      return count
    }
    expect([taken(5), taken(0.5)]).toEqual([5, 1])
  })

  test('lets in no more than the rate and one burst, in any span of time, and as much as a patient caller asks', () => {
    const steps = fc.array(fc.nat({ max: 400 }), { maxLength: 200 })
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 9 }),
        (waits, rate, burst) => {
          const { limits, pass } = limiter(rate, burst)
          const letIn: number[] = []
          let now = 0
          for (const wait of waits) {
            pass(wait)
            now += wait
            if (limits.take('a') === 0) letIn.push(now)
          }
          for (const [i, from] of letIn.entries())
            for (const [j, to] of letIn.slice(i).entries())
              expect(j + 1).toBeLessThanOrEqual(burst + ((to - from) * rate) / 1000 + 1e-6)
          const wait = limits.take('a')
          pass(wait)
          expect(limits.take('a') === 0 || wait === 0).toBe(true)
        },
      ),
    )
  })
})

describe('a flood of callers', () => {
  test('takes no more memory than there are places, and nothing from those who are known', () => {
    const { limits, pass } = limiter(1, 2, 50)
    expect(limits.take('known')).toBe(0)
    for (let i = 0; i < 10_000; i++) limits.take(`new-${i}`)
    expect(limits.size).toBe(50)
    expect(limits.take('known')).toBe(0)
    expect(limits.take('known')).toBeGreaterThan(0)
    pass(500)
    for (let i = 0; i < 1000; i++) limits.take(`more-${i}`)
    // Whoever had used up everything did not get it back by the flood.
    expect(limits.take('known')).toBeGreaterThan(0)
  })

  test('shares one rate where there is no place', () => {
    const { limits } = limiter(1, 2, 10)
    for (let i = 0; i < 10; i++) expect(limits.take(`new-${i}`)).toBe(0)
    const later = Array.from({ length: 1000 }, (_, i) => limits.take(`later-${i}`))
    expect(later.filter((wait) => wait === 0).length).toBe(2)
  })

  test('makes place again as time goes by', () => {
    const { limits, pass } = limiter(1, 2, 10)
    for (let i = 0; i < 10; i++) limits.take(`new-${i}`)
    pass(2000)
    for (let i = 0; i < 5; i++) expect(limits.take(`later-${i}`)).toBe(0)
    expect(limits.size).toBeLessThanOrEqual(10)
  })
})
