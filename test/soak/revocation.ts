/** The bound of revocations, measured for long enough to tell a 99th percentile: with more and more messages lost, and with kernels killed. */
import { BOUND_MS, measure, RESOURCES, type Report, table } from '../cells/measure.ts'
import { World } from '../cells/world.ts'
import { seeded } from '../crash/random.ts'

/** While no kernel is down. */
const P99_MS = 2000
const LOSSES = [0, 0.1, 0.2, 0.3]
const RESTARTS = 4

export interface RevocationSoak {
  /** Of each of three kernels, in each run. */
  readonly revocations: number
  readonly seed: number
}

/** Whether each run kept the bounds. Prints a table. */
export async function revocationSoak({ revocations, seed }: RevocationSoak): Promise<boolean> {
  const reports: Report[] = []
  for (const [n, loss] of [...LOSSES, 0.1].entries()) {
    const random = seeded(seed + n)
    const weather = { delayMs: 60, duplicates: 0.1, loss }
    const world = await World.make({ kernels: 3, random, resources: RESOURCES, weather })
    try {
      const restarts = n < LOSSES.length ? 0 : RESTARTS
      const report = await measure(world, { random, restarts, revocations })
      reports.push(report)
      console.log(JSON.stringify(report))
    } finally {
      await world.close()
    }
  }
  console.log(table(reports))
  const problems = reports.flatMap(problemsOf)
  for (const problem of problems) console.log(problem)
  return problems.length === 0
}

function problemsOf({ accepted, lossPercent, problems, restarts }: Report): readonly string[] {
  const run = `with ${lossPercent} % lost and ${restarts} restarts`
  return [
    ...problems,
    ...(accepted.max > BOUND_MS ? [`${accepted.max} ms at most ${run}`] : []),
    ...(restarts === 0 && accepted.p99 > P99_MS ? [`p99 of ${accepted.p99} ms ${run}`] : []),
  ]
}
