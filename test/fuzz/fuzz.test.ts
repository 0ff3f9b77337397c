/** Every target for a moment, from another seed each day; `npm run fuzz` takes longer. What once broke a property is tried first. */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { TARGETS } from './targets/index.ts'

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 1)
const SEED = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000))

test.each(TARGETS.map((target) => [target.name, target] as const))(
  '%s',
  {
    timeout: 60_000 + SECONDS * 5000,
  },
  async (name, target) => {
    const { failure, ...report } = await fuzz(target, SECONDS, SEED)
    console.log(`fuzz ${name}, seed ${SEED}:`, JSON.stringify(report))
    const input = failure && Buffer.from(failure.input).toString('base64')
    expect({ input, error: failure?.error }).toEqual({ input: undefined, error: undefined })
    expect(report.runs).toBeGreaterThan(target.seeds.length)
    expect(report.accepted).toBeGreaterThan(0)
    expect(report.blocks).toBeGreaterThan(0)
  },
)
