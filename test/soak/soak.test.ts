/** Two minutes of mixed load with flat memory; `npm run soak -- --hours 2` is the same for longer. */
import { expect, test } from 'vitest'
import { problemsOf } from './flat.ts'
import { type SteadyReport, steady } from './steady.ts'

const SECONDS = Number(process.env.SOAK_SECONDS ?? 120)

test(`${SECONDS} seconds of everything leave memory and open files flat`, {
  timeout: 120_000 + SECONDS * 2000,
}, async () => {
  const report = await steady({ seconds: SECONDS, seed: 1 })
  console.log('soak:', JSON.stringify(report))
  expect(problemsOf(report, SECONDS)).toEqual([])
})

const flat: SteadyReport = {
  answered: 9000,
  decided: 9000,
  swaps: 3,
  unexpected: {},
  rssMiB: [300, 310],
  files: [40, 41],
  rssMiBPerHour: 10,
  fsck: 'valid: 1 leaves',
}
test('what is not flat is seen', () => {
  expect(problemsOf(flat, 7200)).toEqual([])
  const worse: readonly Partial<SteadyReport>[] = [
    { rssMiB: [300, 360] },
    { files: [40, 60] },
    { unexpected: { 'evaluation 503': 1 } },
    { decided: 10 },
    { swaps: 0 },
    { fsck: 'INVALID' },
  ]
  for (const part of worse) expect(problemsOf({ ...flat, ...part }, 7200)).toHaveLength(1)
})
