/** Small programs that an engine once got wrong. */
import type { Json } from '../../../core/json.ts'

export interface Regression {
  readonly what: string
  /** Of package `p`; its rule `r` is asked for. */
  readonly rego: string
  readonly input: Json
}

export const REGRESSIONS: readonly Regression[] = [
  {
    what: 'a set of constants within a scan',
    rego: 'r contains x if {\n\tsome x in input.o\n\tx in {"a", "b"}\n}',
    input: { o: { k: 'a', l: 'c', m: 'b' } },
  },
  {
    what: 'a looked-up scan within another scan',
    rego: 'r contains [x, row.a] if {\n\tsome x in input.o\n\tsome row in data.d.rows\n\trow.a == x\n}',
    input: { o: { k: 'a', l: 1, m: null } },
  },
  {
    what: 'members whose keys are no strings, as a key',
    rego: 'r[{[input.a]: 1, "b": 2}] := 3',
    input: { a: {} },
  },
  {
    what: 'a key that is no string, with what HTML would take for its own',
    rego: 'r[[input.a, "<&>"]] := 1',
    input: { a: '<' },
  },
  {
    what: 'the union of no objects',
    rego: 'r := object.union_n(input.a)',
    input: { a: [] },
  },
  {
    what: 'a number that begins with its point',
    rego: 'r := [.5 == 0.5, {x | some x in [-.25]} == {-0.25}, input.a + .5]',
    input: { a: 1 },
  },
]
