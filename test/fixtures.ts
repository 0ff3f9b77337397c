/** Where the shared fixtures lie. They are not part of the repository, so a stranger's clone runs without them and says so. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const folder = process.env.ASSAY_FIXTURES ?? resolve(import.meta.dirname, '../../shared/fixtures')

/** The reason that a skipped test gives; the only skip that `npm run verify` tolerates, and only without `CI=true`. */
export const FIXTURES_ABSENT: string = 'the shared fixtures are absent: set ASSAY_FIXTURES'

/** The path of a fixture, or undefined where there are none. @throws with `CI=true`, where absence is a failure */
export function fixture(...path: string[]): string | undefined {
  const at = join(folder, ...path)
  if (existsSync(at)) return at
  if (process.env.CI === 'true') throw new Error(`${FIXTURES_ABSENT} (looked for ${at})`)
  return undefined
}
