/** Tables of cases: their format, what they expect, which reasons they reach, and what JUnit reads. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Bundle, TestCase } from '../../core/ports/compiler.ts'
import { compiler } from '../../test/rego.ts'
import { createWasmEngine } from '../engine/wasm/index.ts'
import { differences } from './expect.ts'
import {
  casesOf,
  junit,
  type Known,
  runCases,
  tableJsonSchema,
  tableSchema,
  unreached,
} from './index.ts'
import type { TableFile } from './table.ts'

const rows = (at: number): number => at + 1

describe('a table', () => {
  test('puts each case over the defaults, member by member', () => {
    const [first, second] = casesOf(
      'access/read_cases.yaml',
      {
        defaults: {
          input: { facts: { a: { b: 1, c: [1, 2] } }, now: 1 },
          data: { freeze: { actions: [] } },
        },
        cases: [
          { name: 'one', facts: { a: { c: [3] } }, now: 7, expect: { allow: true } },
          {
            name: 'two',
            query: 'data.assay.main.deny',
            data: { freeze: { actions: ['*'] }, x: null },
            absent: ['facts.a.b', 'none.of.these'],
            expect: { undefined: true },
          },
        ],
      },
      rows,
    )
    expect(first).toMatchObject({
      query: 'assay/access/decision',
      row: 1,
      input: { facts: { a: { b: 1, c: [3] } }, now: 7 },
      data: { freeze: { actions: [] } },
    })
    expect(second).toMatchObject({
      query: 'assay/main/deny',
      input: { facts: { a: { c: [1, 2] } }, now: 1 },
      data: { freeze: { actions: ['*'] }, x: null },
    })
  })

  test('at the top needs a query', () => {
    const table = { cases: [{ name: 'one', expect: { allow: true } }] }
    expect(() => casesOf('a_cases.yaml', table, rows)).toThrow(RangeError)
  })

  const one = { name: 'a', expect: { allow: true } }
  test.each<[string, unknown]>([
    ['no cases', { cases: [] }],
    ['a case that expects nothing', { cases: [{ ...one, expect: {} }] }],
    ['two cases of one name', { cases: [one, one] }],
    ['a misspelt member', { cases: [{ ...one, fact: {} }] }],
    ['a misspelt expectation', { cases: [{ ...one, expect: { alow: true } }] }],
    ['a query that is none', { cases: [{ ...one, query: 'a b' }] }],
  ])('with %s is refused', (_, value) => {
    expect(tableSchema.safeParse({ cases: [one] }).success).toBe(true)
    expect(tableSchema.safeParse(value).success).toBe(false)
  })

  test('has its format in docs/policy-cases.schema.json', () => {
    const published = new URL('../../docs/policy-cases.schema.json', import.meta.url)
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(tableJsonSchema())
  })
})

const ANSWER: Json = {
  allow: false,
  reasons: [
    { code: 'a', message: 'm', rule: 'p.deny' },
    { code: 'b', message: 'm', rule: 'p.deny' },
  ],
  effects: [],
  obligations: [],
}
const EXPECTATIONS: readonly (readonly [
  TableFile['cases'][number]['expect'],
  Json | undefined,
  number,
])[] = [
  [{ allow: false }, ANSWER, 0],
  [{ allow: true }, ANSWER, 1],
  [{ reasons: ['b', 'a'] }, ANSWER, 0],
  [{ reasons: ['a'] }, ANSWER, 1],
  [{ reasons: ['a', 'b', 'c'] }, ANSWER, 1],
  [{ reasons: ['a', { code: 'b', rule: 'p.deny' }] }, ANSWER, 0],
  [{ reasons: ['a', { code: 'b', rule: 'p.grant' }] }, ANSWER, 2],
  [{ reasons: [] }, ANSWER, 2],
  [{ effects: [], obligations: [] }, ANSWER, 0],
  [{ output: null }, ANSWER, 1],
  [{ value: ANSWER }, ANSWER, 0],
  [{ value: { b: 1, a: [1] } }, { a: [1], b: 1 }, 0],
  [{ value: [1, 2] }, [2, 1], 1],
  [{ undefined: true }, undefined, 0],
  [{ undefined: true }, false, 1],
  [{ value: false }, undefined, 1],
  [{ value: null }, null, 0],
]

test.each(EXPECTATIONS)('%j of %j differs in %i', (expected, answer, count) => {
  expect(differences(expected, answer)).toHaveLength(count)
})

const REGO = `package assay.access

decision := {"allow": true, "reasons": [{"code": "fine", "message": "m", "rule": "assay.access.decision"}], "effects": [], "obligations": []} if {
	input.facts.who == data.access.owner
}

square := input.now * input.now
`

test('cases are asked with the data that they want, and say what they gave', {
  timeout: 60_000,
}, async () => {
  const bundle: Bundle = await compiler.build(
    { 'access/a.rego': REGO, 'access/data.json': '{"owner":"ada"}' },
    { capabilities: 'trust', entrypoints: ['assay/access/decision', 'assay/access/square'] },
  )
  const cases = casesOf(
    'access/a_cases.yaml',
    {
      cases: [
        { name: 'owner', facts: { who: 'ada' }, expect: { allow: true, reasons: ['fine'] } },
        { name: 'other', facts: { who: 'bob' }, expect: { undefined: true } },
        {
          name: 'other owner',
          facts: { who: 'bob' },
          data: { access: { owner: 'bob' } },
          expect: { allow: true },
        },
        { name: 'any rule', query: 'assay/access/square', now: 3, expect: { value: 9 } },
        { name: 'wrong', facts: { who: 'ada' }, expect: { allow: false } },
        { name: 'unknown', query: 'assay/access/none', expect: { value: 1 } },
      ],
    },
    rows,
  )
  const results = await runCases(cases, bundle, [createWasmEngine()])
  expect(results.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    'owner pass',
    'other pass',
    'other owner pass',
    'any rule pass',
    'wrong fail',
    'unknown error',
  ])
  expect(results[0]?.reasons).toEqual([{ code: 'fine', rule: 'assay.access.decision' }])
  expect(results[4]).toMatchObject({ file: 'access/a_cases.yaml', row: 5 })
})

describe('a reason', () => {
  const known: Known = {
    code: 'a',
    rule: 'p.deny',
    file: 'p.rego',
    at: { row: 5, col: 1 },
    ruleRow: 4,
    listed: false,
  }
  const covered = (...notCovered: { from: number; to: number }[]) => [
    { file: 'p.rego', percent: 50, notCovered },
  ]
  const none = { given: [], coverage: [], named: new Set<string>() }

  test.each<[string, Partial<Known>, Partial<typeof none> | object, boolean]>([
    ['nothing gives', {}, {}, false],
    ['a table gave', {}, { given: [{ code: 'a', rule: 'p.deny' }] }, true],
    ['a table gave from elsewhere', {}, { given: [{ code: 'a', rule: 'p.grant' }] }, false],
    [
      'without a rule a table gave',
      { rule: undefined },
      { given: [{ code: 'a', rule: 'x' }] },
      true,
    ],
    ['stands in a rule that held', {}, { coverage: covered({ from: 5, to: 9 }) }, true],
    ['stands in a rule that never held', {}, { coverage: covered({ from: 4, to: 4 }) }, false],
    ['is one of several', { listed: true }, { coverage: covered() }, false],
    [
      'is one of several, and named',
      { listed: true },
      { coverage: covered(), named: new Set(['a']) },
      true,
    ],
  ])('that %s', (_, change, reached, is) => {
    expect(unreached([{ ...known, ...change }], { ...none, ...reached })).toHaveLength(is ? 0 : 1)
  })
})

test('JUnit has every outcome, and nothing that XML cannot hold', () => {
  const about = { package: 'p<&', file: 'a.rego', row: 3 }
  const tests: TestCase[] = [
    { ...about, name: 'a', outcome: 'pass' },
    { ...about, name: 'b', outcome: 'fail', message: 'x < "y"\n\0' },
    { ...about, name: 'c', outcome: 'error', message: 'z' },
    { ...about, package: 'q', name: 'd', outcome: 'skip' },
  ]
  expect(junit(tests)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" errors="1" skipped="1">
  <testsuite name="p&lt;&amp;" tests="3" failures="1" errors="1" skipped="0">
    <testcase classname="p&lt;&amp;" name="a" file="a.rego" line="3"/>
    <testcase classname="p&lt;&amp;" name="b" file="a.rego" line="3"><failure message="x &lt; &quot;y&quot;&#10;\ufffd"/></testcase>
    <testcase classname="p&lt;&amp;" name="c" file="a.rego" line="3"><error message="z"/></testcase>
  </testsuite>
  <testsuite name="q" tests="1" failures="0" errors="0" skipped="1">
    <testcase classname="q" name="d" file="a.rego" line="3"><skipped/></testcase>
  </testsuite>
</testsuites>
`)
})
