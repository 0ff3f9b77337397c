/** That a wrong engine scores badly, and OPA's own answers score fully. */
import { expect, test } from 'vitest'
import {
  get,
  isArray,
  objectOf,
  RegoSet,
  type Value,
} from '../../../adapters/engine/value/value.ts'
import { type Answer, type Case, loadCases } from './cases.ts'
import { type Evaluator, inMode, type Mode, score } from './score.ts'

async function passing(evaluate: Evaluator['evaluate'], mode: Mode): Promise<number> {
  const cases = (await loadCases()).filter((each) => inMode(each, mode))
  return cases.filter((each) => score({ name: 'made', evaluate }, each, mode).passed).length
}

test('there are as many cases as OPA has', async () => {
  const cases = await loadCases()
  expect(cases.length).toBe(2392)
  expect(cases.filter((each) => inMode(each, 'main')).length).toBe(2167)
  expect(cases.filter((each) => inMode(each, 'strict')).length).toBe(224)
  const left = cases.filter(({ leftOut }) => leftOut !== undefined)
  // It calls a built-in that only OPA's own tests have.
  expect(left.map(({ id }) => id)).toEqual(['time/time caching'])
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
})

test("OPA's own answers pass, in every mode", async () => {
  expect(await passing(({ want }) => want, 'main')).toBe(2167)
  expect(await passing(({ want }) => want, 'strict')).toBe(224)
  expect(await passing(({ lenient }) => lenient, 'lenient')).toBe(224)
})

test('an engine that knows nothing fails nearly all', async () => {
  expect(await passing(() => ({ rows: new RegoSet() }), 'main')).toBeLessThan(150)
  expect(await passing(() => ({ rows: new RegoSet() }), 'strict')).toBeLessThan(5)
  expect(await passing(() => ({ error: 'eval_conflict_error' }), 'main')).toBe(36)
  const refuses = (): Answer => {
    throw new Error('no')
  }
  expect(await passing(refuses, 'main')).toBe(0)
})

test('a set that became an array is a wrong answer', async () => {
  const asJson = ({ want }: Case): Answer =>
    'error' in want ? want : { rows: RegoSet.of([...want.rows.members.values()].map(withoutSets)) }
  expect(await passing(asJson, 'main')).toBeLessThan(2100)
})

function withoutSets(value: Value): Value {
  if (value instanceof RegoSet) return value.sorted().map(withoutSets)
  if (isArray(value) || typeof value !== 'object' || value === null) return value
  const names = Object.keys(value)
  return objectOf(names.map((name) => [name, withoutSets(get(value, name) as Value)]))
}
