/** `npm run soak [-- ROUNDS]`: kill rounds by the thousand, each hundred with another seed and an audit of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crashRounds } from './rounds.ts'

const BLOCK = 100
const rounds = Number(process.argv[2] ?? 1000)
const firstSeed = Number(process.env.SEED ?? Date.now() % 1_000_000)

for (let done = 0; done < rounds; done += BLOCK) {
  const seed = firstSeed + done / BLOCK
  const folder = mkdtempSync(join(tmpdir(), 'assay-soak-'))
  const count = Math.min(BLOCK, rounds - done)
  const report = await crashRounds({ folder, rounds: count, seed })
  console.log(`seed ${seed}: ${done + count} of ${rounds} rounds`, JSON.stringify(report))
  if (report.problems.length > 0) {
    console.log(`the data folder is kept: ${folder}`)
    process.exit(1)
  }
  rmSync(folder, { recursive: true })
}
