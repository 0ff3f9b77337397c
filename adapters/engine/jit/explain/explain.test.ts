import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../../core/json.ts'
import { createOpaCompiler } from '../../../compiler/opa/index.ts'
import { createExplainer, type Explained } from './explainer.ts'
import type { Explanation, Failing, Fired, Missed, Saw } from './explanation.ts'
import type { Masks } from './veil.ts'

const compiler = createOpaCompiler()
afterAll(() => compiler.close())

interface Case {
  readonly rego: string
  readonly data?: Json
  readonly input: Json
  readonly entrypoint?: string
  readonly masks?: Masks
}

async function explained({
  data = {},
  entrypoint = 't/allow',
  input,
  masks,
  rego,
}: Case): Promise<Explained> {
  const sources = { 't.rego': `package t\n\n${rego}`, 'data.json': JSON.stringify(data) }
  const bundle = await compiler.build(sources, { capabilities: 'trust', entrypoints: [entrypoint] })
  const explainer = createExplainer(bundle, { syntax: await compiler.syntax(sources) })
  return explainer.explain(entrypoint, JSON.stringify(input), masks)
}

async function explanationOf(given: Case): Promise<Explanation> {
  return (await explained(given)).explanation
}

function saw(all: readonly Saw[]): string {
  return all
    .map(({ hidden, missing, ref, value }) =>
      missing ? `${ref} missing` : `${ref}=${hidden ? 'hidden' : JSON.stringify(value)}`,
    )
    .join(', ')
}

/** One line for each condition that failed, what is within it indented. */
function nearest(missed: readonly Missed[]): readonly string[] {
  return missed.flatMap(({ condition, rule, row }) => [
    `${rule}@${row}`,
    ...(condition === undefined ? [] : failing(condition)).map((line) => `  ${line}`),
  ])
}

function failing({
  col,
  file,
  fired,
  inner,
  missed,
  row,
  saw: seen,
  text,
  why,
}: Failing): readonly string[] {
  return [
    `${file}:${row}:${col} ${why}: ${text} (${saw(seen)})`,
    ...(inner === undefined ? [] : failing(inner).map((line) => `  ${line}`)),
    ...nearest(missed).map((line) => `  ${line}`),
    ...tree(fired).map((line) => `  ${line}`),
  ]
}

function tree(fired: readonly Fired[]): readonly string[] {
  return fired.flatMap(({ again, because, conditions, row, rule, value }) => [
    `${rule}@${row} = ${value.hidden ? 'hidden' : JSON.stringify(value.value)}${again ? ' again' : ''}`,
    ...conditions.flatMap(({ col, missed, row: at, saw: seen, text }) => [
      `  ${at}:${col} ${text} (${saw(seen)})`,
      ...nearest(missed).map((line) => `    ${line}`),
    ]),
    ...tree(because).map((line) => `  ${line}`),
  ])
}

async function whyNot(given: Case): Promise<readonly string[]> {
  const { missed, outcome } = await explanationOf(given)
  expect(['denied', 'undefined']).toContain(outcome)
  return nearest(missed)
}

describe('the nearest condition', () => {
  const cases: readonly (readonly [name: string, Case])[] = [
    ['a comparison', { rego: 'allow if input.user == "ada"\n', input: { user: 'bob' } }],
    ['what is not there', { rego: 'allow if input.user.name == "ada"\n', input: { user: {} } }],
    ['what is not there at all', { rego: 'allow if input.user.name == "ada"\n', input: {} }],
    ['a yes or no', { rego: 'allow if input.ok\n', input: { ok: false } }],
    [
      'two bodies, the one that got further first',
      {
        rego: 'allow if {\n\tinput.a == 1\n}\n\nallow if {\n\tinput.b == 1\n\tinput.c == 1\n}\n',
        input: { a: 0, b: 1, c: 0 },
      },
    ],
    ['a variable', { rego: 'allow if {\n\tx := input.a + 1\n\tx > 10\n}\n', input: { a: 2 } }],
    [
      'a function',
      { rego: 'allow if same(input.a, input.b)\n\nsame(x, y) if x == y\n', input: { a: 1, b: 2 } },
    ],
    [
      'a function of other arguments',
      {
        rego: 'allow if holds("b")\n\nholds("a") if input.a\n\nholds("b") if input.b\n',
        input: { a: false, b: false },
      },
    ],
    [
      'a rule',
      {
        rego: 'allow if owner\n\nowner if input.owner == input.user\n',
        input: { owner: 'ada', user: 'bob' },
      },
    ],
    [
      'another name',
      {
        rego: 'allow if user.name == "ada"\n\nuser := input.session.user\n',
        input: { session: { user: { name: 'bob' } } },
      },
    ],
    [
      'the binding that got furthest',
      {
        rego: 'allow if {\n\tsome doc in data.docs\n\tdoc.owner == input.user\n\tdoc.open\n}\n',
        data: { docs: [{ owner: 'bob' }, { owner: 'ada', open: false }, { owner: 'joe' }] },
        input: { user: 'ada' },
      },
    ],
    [
      'nothing to go through',
      {
        rego: 'allow if {\n\tsome role in input.roles\n\trole == "admin"\n}\n',
        input: { roles: [] },
      },
    ],
    [
      'every',
      {
        rego: 'allow if {\n\tevery x in input.xs {\n\t\tx > 1\n\t}\n}\n',
        input: { xs: [2, 1, 3] },
      },
    ],
    [
      'not',
      {
        rego: 'allow if not frozen\n\nfrozen if input.state == "frozen"\n',
        input: { state: 'frozen' },
      },
    ],
    ['membership', { rego: 'allow if input.role in {"a", "b"}\n', input: { role: 'c' } }],
    [
      'a set that is empty',
      {
        rego: 'allow if count(granted) > 0\n\ngranted contains role if {\n\tsome role in input.roles\n\tdata.roles[role]\n}\n',
        data: { roles: { admin: true } },
        input: { roles: ['member', 'guest'] },
      },
    ],
    [
      'a comprehension',
      {
        rego: 'allow if {\n\tnames := [name | some name in input.names; name == "ada"]\n\tcount(names) > 0\n}\n',
        input: { names: ['bob', 'joe'] },
      },
    ],
    [
      'with',
      {
        rego: 'allow if grown with input.age as 3\n\ngrown if input.age > 17\n',
        input: { age: 30 },
      },
    ],
    [
      'a default',
      {
        rego: 'default allow := false\n\nallow if input.n > limit\n\ndefault limit := 3\n\nlimit := input.limit\n',
        input: { n: 2 },
      },
    ],
    [
      'else',
      {
        rego: 'allow := false if {\n\tinput.locked\n} else := true if {\n\tinput.user == "ada"\n}\n',
        input: { user: 'bob' },
      },
    ],
    [
      'else that was not tried',
      {
        rego: 'allow := false if {\n\tinput.locked\n} else := true if {\n\tinput.user == "ada"\n}\n',
        input: { locked: true, user: 'ada' },
      },
    ],
    [
      'a key that is looked up',
      {
        rego: 'allow if data.roles[input.role][input.action]\n',
        data: { roles: { reader: { read: true } } },
        input: { role: 'reader', action: 'write' },
      },
    ],
    [
      'a value of the head',
      {
        rego: 'allow := data.rules[input.action]\n',
        data: { rules: {} },
        input: { action: 'read' },
      },
    ],
    [
      'an overruled grant',
      {
        rego: 'allow if {\n\tinput.granted\n\tcount(deny) == 0\n}\n\ndeny contains "frozen" if input.state == "frozen"\n',
        input: { granted: true, state: 'frozen' },
      },
    ],
    ['a builtin without a value', { rego: 'allow if to_number(input.n) > 1\n', input: { n: 'x' } }],
    ['unification', { rego: 'allow if [1, x] = input.pair\n', input: { pair: [2, 3] } }],
    ['false', { rego: 'allow if {\n\tinput.a\n\tfalse\n}\n', input: { a: true } }],
  ]
  test.each(cases)('%s', async (_, given) => {
    console.log([given.rego, ...(await whyNot(given))].join('\n'))
  })
})
void tree
