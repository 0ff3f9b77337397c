/** What is asked of each engine: a share of the cases, and a reason for each that fails. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REFUSED } from '../../../adapters/engine/builtins/index.ts'
import { type Case, loadCases } from './cases.ts'
import { type Evaluator, inMode, type Mode, type Result, score } from './score.ts'
import { summary, tableOf } from './table.ts'

/** Why a case fails that calls a built-in of {@link REFUSED}. Nothing else is unsupported. */
const UNSUPPORTED = 'unsupported'

/** Per engine and mode: why each case fails that does, by its id. */
type Exceptions = Readonly<Record<string, Readonly<Record<string, string>>>>
const exceptions = JSON.parse(
  readFileSync(join(import.meta.dirname, 'exceptions.json'), 'utf8'),
) as Exceptions

/** Defines the tests of one engine in one mode: at least `percent` of the cases pass, and `exceptions.json` has exactly the others. */
export function holds(evaluator: Evaluator, mode: Mode, percent: number): void {
  const reasons = exceptions[`${evaluator.name} ${mode}`] ?? {}

  test(`${evaluator.name}, ${mode}: what fails has its reason, and nothing else has one`, async () => {
    const cases = (await loadCases()).filter((each) => inMode(each, mode))
    const results = cases.map((each) => score(evaluator, each, mode))
    console.log(`${tableOf(results)}\n${summary(evaluator, mode, results)}`)
    const failed = results.filter(({ passed }) => !passed)
    expect(failed.filter(({ test: { id } }) => !(id in reasons)).map(told)).toEqual([])
    const ids = new Set(failed.map(({ test: { id } }) => id))
    expect(Object.keys(reasons).filter((id) => !ids.has(id))).toEqual([])
    expect((100 * (results.length - failed.length)) / results.length).toBeGreaterThanOrEqual(
      percent,
    )
  }, 240_000)

  test(`${evaluator.name}, ${mode}: unsupported is what no policy may call`, async () => {
    const cases = await loadCases()
    const refused = new Set(cases.filter(callsRefused).map(({ id }) => id))
    const isWrong = ([id, reason]: [string, string]): boolean =>
      reason.trim() === '' || (reason === UNSUPPORTED && !refused.has(id))
    expect(Object.entries(reasons).filter(isWrong)).toEqual([])
  }, 240_000)
}

function told({ test: { id }, wanted, got }: Result): string {
  return `${id}: wanted ${wanted}, got ${got}`
}

function callsRefused({ plan }: Case): boolean {
  const { static: named } = (plan ?? {}) as {
    readonly static?: { readonly builtin_funcs?: readonly { readonly name: string }[] }
  }
  return (named?.builtin_funcs ?? []).some(({ name }) => REFUSED.has(name))
}
