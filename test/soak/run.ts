/**
 * `npm run soak`: a thousand kill -9 rounds. `npm run soak -- --rounds N` takes another number; `--hours H` or `--minutes M` instead keeps
 * a server under mixed load for so long; `npm run soak -- revocation --rounds N` takes back N tokens on each of three kernels over networks
 * that get worse and worse (default 100); `npm run soak -- writers --minutes M` kills and freezes eight writers of one DynamoDB table for so long
 * (default 10). `--seed N` repeats a run.
 */
import { parseArgs } from 'node:util'
import { problemsOf } from './flat.ts'
import { killRounds } from './kills.ts'
import { revocationSoak } from './revocation.ts'
import { steady } from './steady.ts'
import { writersSoak } from './writers-soak.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    hours: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
  },
})
const { hours = 0, minutes = 0, rounds } = values
const [what] = positionals
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const seconds = Number(hours) * 3600 + Number(minutes) * 60

if (what === 'revocation') {
  const soak = { revocations: Number(rounds ?? 100), seed }
  process.exitCode = (await revocationSoak(soak)) ? 0 : 1
} else if (what === 'writers') {
  process.exitCode = (await writersSoak({ seconds: seconds || 600, seed })) ? 0 : 1
} else if (what !== undefined) {
  console.error(`there is no soak ${what}`)
  process.exitCode = 2
} else if (seconds > 0) {
  console.log(`seed ${seed}: ${seconds} seconds of mixed load`)
  const report = await steady({ seconds, seed, progress: (line) => console.log(line) })
  const problems = problemsOf(report, seconds)
  console.log(JSON.stringify({ ...report, problems }))
  process.exitCode = problems.length > 0 ? 1 : 0
} else process.exitCode = (await killRounds(Number(rounds ?? 1000), seed)) ? 0 : 1
