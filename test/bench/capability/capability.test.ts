/** That the benchmark of tokens measures what its tables say. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readToken } from '../../../formats/cap1/index.ts'
import { compiler } from '../../rego.ts'
import { inTurns } from './measure.ts'
import { revocationTable, tokenGoals, tokenTable } from './report.ts'
import { openStore, revocationCheck } from './revocations.ts'
import {
  bareVerification,
  memoryReads,
  SHAPES,
  signaturesOf,
  tokensOf,
  Verdicts,
  verification,
} from './tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
afterAll(async () => {
  await compiler.close()
  rmSync(folder, { recursive: true })
})

describe('what is measured', () => {
  test.each(SHAPES)('$added blocks added, $last last: as many signatures as counted', (shape) => {
    for (const text of tokensOf(shape)) {
      const token = readToken(text)
      if ('problem' in token) throw new Error(token.problem)
      const seals = 'seal' in token.last ? 1 : 0
      expect(token.blocks.length + seals).toBe(signaturesOf(shape))
    }
    expect(new Set(tokensOf(shape)).size).toBe(64)
  })

  test('every token verifies, and the policy allows it', async () => {
    bareVerification()()
    const verdicts = await Verdicts.open()
    const reads = memoryReads()
    for (const shape of SHAPES) {
      for (const keys of ['cold', 'first', 'kept'] as const) verification(shape, keys)()
      await verdicts.of(shape, () => reads)()
    }
    await verdicts.close()
  })

  test('a verdict that refuses is an error, not a measurement', async () => {
    const verdicts = await Verdicts.open()
    const nothing = memoryReads({ announce: {}, capability: {}, enrolment: {}, lease: {} })
    const side = verdicts.of({ added: 0, last: 'seal' }, () => nothing)
    await expect(side()).rejects.toThrow('issuer_unknown')
    await verdicts.close()
  })

  test.each(['memory', 'sqlite'] as const)('revocations are looked up in %s', async (kind) => {
    const store = await openStore(kind, folder, 2500)
    await revocationCheck(store)()
    let live = 0
    for await (const _ of store.list('announce', 'revoked/token/')) live++
    expect(live).toBe(2500)
    await store.close()
  })
})

test('sides take turns, and each gives a figure a round', async () => {
  const calls = { quick: 0, slow: 0 }
  const sides = {
    quick: () => calls.quick++,
    slow: async () => {
      calls.slow++
      let sum = 0
      for (let i = 0; i < 200_000; i++) sum += i
      return sum
    },
  }
  const taken = await inTurns(sides, { rounds: 3, sliceMs: 5, warmMs: 5 })
  expect(taken.quick.length).toBe(3)
  expect(taken.slow.length).toBe(3)
  expect(Math.min(...taken.slow)).toBeGreaterThan(Math.max(...taken.quick))
  expect(calls.quick).toBeGreaterThan(calls.slow)
})

describe('what is printed', () => {
  const ratio = { cold: 8, first: 1.4, kept: 1.1, verdict: 1.5 }
  const shape = { added: 1, last: 'seal' as const, signatures: 3, ratio, verdictMicros: 300 }
  const tokens = (verdict: number, ofBiscuit: number) => ({
    bareMicros: 60,
    shapes: [{ ...shape, ratio: { ...ratio, verdict }, ofBiscuit }],
  })

  test('ratios, a row for each token', () => {
    const row = '| 1 added, sealed | 3 | 8.00× | 1.40× | 1.10× | 1.50× | 300.0 | 40% |'
    expect(tokenTable(tokens(1.5, 0.4))).toContain(row)
  })

  test('goals that are missed say so', () => {
    expect(tokenGoals(tokens(1.25, 0.99))).not.toContain('MISSED')
    expect(tokenGoals(tokens(1.26, 0.99))).toContain('- MISSED: 1 added, sealed: 1.26×')
    expect(tokenGoals(tokens(1.25, 1))).toContain('- MISSED: 1 added, sealed: 100%')
  })

  test('revocations, beside none', () => {
    const live = { store: 'sqlite' as const, live: 1_000_000, noneMicros: 2, liveMicros: 9 }
    expect(revocationTable([{ ...live, ratio: { live: 0.1, none: 0.02 } }])).toContain(
      '| sqlite | 1,000,000 | 10% | 2% | 9.0 | 2.0 |',
    )
  })
})
