/** Holds engines against OPA's own cases. */

import { compare, equal } from '../../../adapters/engine/value/order.ts'
import { writeTerm } from '../../../adapters/engine/value/term.ts'
import {
  entriesOf,
  isArray,
  isObject,
  objectOf,
  RegoSet,
  type Value,
} from '../../../adapters/engine/value/value.ts'
import type { Answer, Case } from './cases.ts'

/** Evaluates the one query of a case's plan. @throws where the case cannot be loaded or the evaluation fails in no way of OPA's */
export interface Evaluator {
  readonly name: string
  evaluate(test: Case, options: { readonly strict: boolean }): Answer
}

/**
 * `main`: all cases but those of OPA's strict mode. `strict`: those, where an error of a built-in ends the evaluation. `lenient`: the same
 * cases, where it is undefined.
 */
export type Mode = 'lenient' | 'main' | 'strict'

export interface Result {
  readonly test: Case
  readonly passed: boolean
  readonly wanted: string
  readonly got: string
}

export function inMode(test: Case, mode: Mode): boolean {
  return test.leftOut === undefined && test.strict === (mode !== 'main')
}

export function score(evaluator: Evaluator, test: Case, mode: Mode): Result {
  const want = mode === 'lenient' ? test.lenient : test.want
  const wanted = told(want, test)
  const got = attempt(() => evaluator.evaluate(test, { strict: mode === 'strict' }), test)
  return {
    test,
    passed: got.answer !== undefined && same(want, got.answer, test),
    wanted,
    got: got.text,
  }
}

function attempt(evaluate: () => Answer, test: Case): { answer?: Answer; text: string } {
  try {
    const answer = evaluate()
    return { answer, text: told(answer, test) }
  } catch (error) {
    const trace = String(error instanceof Error ? (error.stack ?? error) : error)
    return { text: trace.split('\n').slice(0, 4).join('\n') }
  }
}

function same(want: Answer, got: Answer, test: Case): boolean {
  if ('error' in want || 'error' in got)
    return 'error' in want && 'error' in got && want.error === got.error
  return equal(normal(want.rows, test), normal(got.rows, test))
}

function told(answer: Answer, test: Case): string {
  return 'error' in answer ? answer.error : writeTerm(normal(answer.rows, test))
}

function normal(rows: RegoSet, { sortBindings }: Case): RegoSet {
  return sortBindings ? RegoSet.of([...rows.members.values()].map(sortedRow)) : rows
}

function sortedRow(row: Value): Value {
  if (!isObject(row)) return row
  const sorted = (value: Value): Value => (isArray(value) ? [...value].sort(compare) : value)
  return objectOf(entriesOf(row).map(([name, value]) => [name, sorted(value)]))
}
