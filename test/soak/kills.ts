/** Kill rounds by the hundred, each hundred with another seed, a data folder and an audit of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crashRounds } from '../crash/rounds.ts'

const BLOCK = 100

/** Whether every audit was clean; the folder of one that was not is kept. */
export async function killRounds(rounds: number, firstSeed: number): Promise<boolean> {
  for (let done = 0; done < rounds; done += BLOCK) {
    const seed = firstSeed + done / BLOCK
    const folder = mkdtempSync(join(tmpdir(), 'assay-soak-'))
    const count = Math.min(BLOCK, rounds - done)
    const report = await crashRounds({ folder, rounds: count, seed })
    console.log(`seed ${seed}: ${done + count} of ${rounds} rounds`, JSON.stringify(report))
    if (report.problems.length > 0) {
      console.log(`the data folder is kept: ${folder}`)
      return false
    }
    rmSync(folder, { recursive: true })
  }
  return true
}
