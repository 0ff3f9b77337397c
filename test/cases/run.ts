/**
 * `npm run cases -- KIND FILE`: decides every case of the file, prints each that differs from its expectation, and ends with
 * `N passed, N failed`. Exit status 1 when any failed, 2 when nothing could be judged.
 */
import { CaseFileError } from './kind.ts'
import { loadKind, runCases } from './runner.ts'

const USAGE = 'usage: npm run cases -- KIND FILE'

async function main(args: readonly string[]): Promise<number> {
  const [kind, file] = args
  if (kind === undefined || file === undefined || args.length > 2) throw new CaseFileError(USAGE)
  const { close } = await loadKind(kind)
  try {
    const { passed, failed } = await runCases(kind, file, (line) => console.log(line))
    console.log(`${passed} passed, ${failed} failed`)
    return failed === 0 ? 0 : 1
  } finally {
    await close?.()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CaseFileError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
