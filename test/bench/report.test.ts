import { describe, expect, test } from 'vitest'
import type { EmbeddedResult } from './embedded.ts'
import type { HttpResult } from './http.ts'
import { embeddedTable, goals, httpTable, ofFloor } from './report.ts'
import { median, percentile, type Round, summarize } from './stats.ts'

describe('statistics', () => {
  test('the median is the middle, whatever the order', () => {
    expect(median([9, 1, 10])).toBe(9)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow(RangeError)
  })

  test('a percentile is a value that occurs, by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100])
    expect(percentile([7], 0.5)).toBe(7)
    expect(() => percentile([], 0.5)).toThrow(RangeError)
  })

  test('rounds come to medians of rates, not to the rate of the sum', () => {
    const round = (decisions: number): Round => ({
      decisions,
      wallMs: 1000,
      cpuMicros: 600,
      latenciesMs: [1, 2, decisions],
    })
    const summary = summarize([round(10), round(20), round(60)])
    expect(summary).toEqual({ decisions: 90, perSecond: 20, cpuMicros: 30, p50Ms: 2, p99Ms: 20 })
    const { p50Ms } = summarize([{ ...round(1), latenciesMs: [] }])
    expect(p50Ms).toBeUndefined()
  })
})

const side = (cpuMicros: number, perSecond: number): EmbeddedResult['sealed'] => ({
  decisions: 1000,
  perSecond,
  cpuMicros,
  p50Ms: 1,
  p99Ms: 2,
})
const embedded = (sealedMicros: number, perSecond: number): EmbeddedResult => ({
  store: 'sqlite',
  inFlight: 256,
  durable: side(70, 12_000),
  sealed: side(sealedMicros, perSecond),
  floor: side(50, 20_000),
  verified: 10,
})
const http = (kind: HttpResult['side'], cpuMicros: number): HttpResult => ({
  side: kind,
  connections: 256,
  decisions: 1000,
  perSecond: 5000,
  cpuMicros,
  p50Ms: 1,
  p99Ms: 2,
  verified: kind === 'assay' ? 5 : 0,
})

describe('the report', () => {
  test('the share of the floor is by CPU time', () => {
    expect(ofFloor(embedded(80, 11_000))).toBeCloseTo(0.625)
    expect(embeddedTable([embedded(80, 11_000)])).toContain('| sqlite | 256 | sealed | 63% | 55% |')
  })

  test("the share of OPA's CPU is between equal numbers of connections", () => {
    const rows = httpTable([http('assay', 90), http('opa', 120)]).split('\n')
    expect(rows[2]).toContain('| assay | 256 | 75% | 90.0 |')
    expect(httpTable([http('assay', 90)])).toContain('| assay | 256 | – |')
  })

  test('says of each goal that was measured whether it is reached', () => {
    const reached = goals([embedded(80, 10_000)], [http('assay', 120), http('opa', 120)])
    expect(reached.match(/^- reached/gm)).toHaveLength(3)
    expect(reached).not.toContain('MISSED')
    expect(reached).toContain('verified in this run: 15')
    const missed = goals([embedded(90, 9_999)], [http('assay', 121), http('opa', 120)])
    expect(missed.match(/^- MISSED/gm)).toHaveLength(3)
    const { sealed } = embedded(90, 1)
    expect(goals([{ ...embedded(90, 1), inFlight: 16, sealed }], [])).not.toContain('MISSED')
  })
})
