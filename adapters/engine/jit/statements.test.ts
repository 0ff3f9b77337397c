/** Every kind of statement against OPA's own evaluator, through policies whose plans have them. */
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { compiler } from '../../../test/rego.ts'
import { createJitEngine } from './index.ts'
import { readPlan } from './plan.ts'
import { nested } from './visit.ts'

interface Kase {
  readonly name: string
  readonly rego: string
  readonly data?: Json
  readonly inputs: readonly Json[]
}

const names = ['ann', 'bob', 'cy', '__proto__', 'constructor', 'é', '\u{1f600}', '0', '7']
const cases: readonly Kase[] = [
  {
    name: 'arrays are filled in the order of what is scanned',
    rego: `decision := {"keys": [k | some k, _ in input.o], "members": [x | some x in {y | some y in input.a}], "nested": [[x, y] | some x in input.a; some y in input.a; x < y]}`,
    inputs: [
      {
        o: Object.fromEntries(names.map((name) => [name, 1])),
        a: [3, 'x', 1, null, [2], { b: 1 }],
      },
      { o: { '\uffff': 1, '\u{10000}': 2, 10: 3, 9: 4 }, a: ['\u{10000}', '\uffff', '\ue000'] },
      { o: [], a: {} },
    ],
  },
  {
    name: 'else is asked only where nothing before it holds, and a conflict ends the evaluation',
    rego: `decision := "a" if input.a == 1 else := "b" if input.b == 1 else := {"c": input.c}
decision := "d" if input.d`,
    inputs: [
      { a: 1 },
      { b: 1 },
      { a: 1, b: 1 },
      { c: 1 },
      {},
      { d: true },
      { a: 1, d: true },
      { a: 1, d: false },
    ],
  },
  {
    name: 'every, also over nothing and over what is no collection',
    rego: `default decision := "no"
decision := "yes" if { every k, v in input.xs { v > 0; k != "bad" } }`,
    inputs: [[], [1, 2], [1, 0], {}, { a: 1 }, { bad: 1 }, 'text', 3].map((xs) => ({ xs })),
  },
  {
    name: 'with replaces input, data, functions and built-ins, for as long as its expression lasts',
    rego: `f(x) := x + 1
g(x) := x + 100
base := data.base.n
seen := {"in": input.x, "base": base}
decision := {"a": a, "b": b, "c": c, "d": d, "e": e, "f": h, "after": seen}
a := r if r := seen with input.x as 2
b := r if r := seen with data.base.n as 9
c := r if r := f(1) with f as g
d := r if r := count([1]) with count as 7
e := r if r := seen with input.x as input.y with data.base as {"n": {"deep": true}}
h := [s | some i in [1, 2]; s := seen with input.x as i]`,
    data: { base: { n: 5 } },
    inputs: [{ x: 1, y: 2 }, { x: 1 }, { y: [] }],
  },
  {
    name: 'with into what is no object',
    rego: `decision := {"in": inner, "deep": deep}
inner := r if r := input.a with input.a.b as 1
deep := r if r := input with input.a.c.d as 2`,
    inputs: [{}, { a: 5 }, { a: { b: 0, c: 'x' } }, { a: { c: { d: 0, e: 1 } } }, 7, [1], 'x'],
  },
  {
    name: 'references that compute their path ask rules, then data',
    rego: `decision := {k: v | some k in input.keys; v := data.q[k].r}`,
    data: { q: { base: { r: 'from data' }, one: { s: 'beside' } } },
    inputs: [
      { keys: ['one', 'two', 'base', 'none', 'three', '__proto__', 'constructor'] },
      { keys: [1, null, ['one']] },
    ],
  },
  {
    name: 'base and virtual documents of one path are one',
    rego: `decision := {"all": data.q, "one": data.q.one, "keys": {k | some k, _ in data.q}}`,
    data: { q: { base: { r: 1 }, one: { s: 'beside' }, mixed: { deep: { x: 1 } } } },
    inputs: [{}],
  },
  {
    name: 'partial objects and sets, nested ones, and keys that are no strings',
    rego: `p[x] := y if { some x, y in input.o }
q[k][i] contains v if { some k, list in input.lists; some i, v in list }
n[x] := true if { some x in input.any }
decision := {"p": p, "q": q, "n": n, "has": [x | some x in input.any; n[x]]}`,
    inputs: [
      {
        o: { a: 1, __proto__: 2 },
        lists: { a: [1, [2], 1], b: [] },
        any: [1, 'a', null, [1], { a: 1 }],
      },
      { o: [], lists: {}, any: [] },
    ],
  },
  {
    name: 'object comprehensions whose keys clash end the evaluation',
    rego: `decision := {x.k: x.v | some x in input.xs}`,
    inputs: [
      {
        xs: [
          { k: 1, v: 1 },
          { k: 1, v: 1 },
        ],
      },
      {
        xs: [
          { k: 1, v: 1 },
          { k: 1, v: 2 },
        ],
      },
      { xs: [] },
    ],
  },
  {
    name: 'many bodies that ask for one constant, and some that ask for another thing',
    rego: `kind(c) := "one" if { c.type == "a"; c.n == 1 }
kind(c) := "two" if { c.type == "b"; c.n == 2 }
kind(c) := "three" if c.type == "c"
kind(c) := "also" if { c.type == "a"; c.n == 3 }
kind(c) := "bool" if c.type == true
kind(c) := "other" if { c.other; c.n == 1 }
holds(x) if x == "a"
holds(x) if x == "b"
holds(x) if x == "c"
decision := {"k": kind(input.c), "h": [x | some x in ["a", "b", "d", 1]; holds(x)]}`,
    inputs: [
      ...['a', 'b', 'c', true, 'true', 1, null].flatMap((type) =>
        [1, 2, 3].map((n) => ({ c: { type, n } })),
      ),
      { c: { type: 'a', n: 1, other: true } },
      { c: { type: 'd', n: 1, other: true } },
      { c: 'a' },
    ],
  },
  {
    name: 'scans of data that begin with equalities',
    rego: `arrays contains g.id if { some g in data.grants; g.user == input.user; g.action == input.req.action }
objects contains k if { some k, g in data.byid; g.user == input.user }
ordered := [g.id | some g in data.grants; g.user == input.user]
nothing contains g.id if { some g in data.grants; g.user == input.never }
decision := {"a": arrays, "o": objects, "l": ordered, "n": nothing, "in": input.user in data.users, "k": [k | some k, _ in data.byid]}`,
    data: {
      users: Array.from({ length: 40 }, (_, i) => `u${i % 7}`).concat('x'),
      grants: Array.from({ length: 60 }, (_, i) => ({
        id: i,
        user: [null, 1, true, 'u1', 'u2', ['u1'], { a: 1 }, 'é'][i % 8] as Json,
        ...(i % 5 === 0 ? {} : { action: i % 3 === 0 ? 'read' : 'write' }),
      })) as Json,
      byid: Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [
          `k${i}`,
          i % 4 === 0 ? 'text' : { user: `u${i % 3}` },
        ]),
      ) as Json,
    },
    inputs: [null, 1, true, false, 'u1', 'u2', ['u1'], { a: 1 }, 'é', 'x', undefined].map(
      (user) => JSON.parse(JSON.stringify({ user, req: { action: 'read' } })) as Json,
    ),
  },
  {
    name: 'lookups in data by numbers, texts and names that JavaScript knows',
    rego: `decision := {"n": [x | some i in input.keys; x := data.list[i]], "o": [x | some i in input.keys; x := data.map[i]], "v": [x | m := data.map; some i in input.keys; x := m[i]]}`,
    data: { list: ['a', 'b'], map: { 0: 'zero', length: 'own', b: 1 } },
    inputs: [
      {
        keys: [
          0,
          1,
          2,
          -1,
          0.5,
          '0',
          '1',
          'length',
          'constructor',
          '__proto__',
          'b',
          null,
          true,
          [0],
        ],
      },
    ],
  },
  {
    name: 'comparisons of everything with everything, and numbers beyond a double',
    rego: `decision := {"eq": [[i, j] | some i, x in xs; some j, y in xs; x == y], "lt": [[i, j] | some i, x in xs; some j, y in xs; x < y], "big": 9007199254740993 == 9007199254740992, "sum": sprintf("%v", [9007199254740993 + input.one])}
xs := array.concat(input.xs, [{1, "a"}, {"a", 1}, {[1]: 2}, 12345678901234567890, 1e400, 0.1, set()])`,
    inputs: [
      {
        one: 1,
        xs: [
          null,
          false,
          true,
          0,
          1,
          1.5,
          '',
          'a',
          [],
          [1],
          [1, 2],
          {},
          { a: 1 },
          { a: 2 },
          { b: 0 },
        ],
      },
    ],
  },
  {
    name: 'sets of constant texts, and switches over many',
    rego: `known := {"a", "bb", "cc", "é", "\u{1f600}x", "length", ""}
mixed := {"a", 1}
maybe := {"a", "b"} if input.on
kind("a") := 1
kind("bb") := 2
kind("cc") := 3
kind("é") := 4
kind("ddd") := 5
kind("") := 6
decision := {"in": [x | some x in input.xs; x in known], "not": [x | some x in input.xs; not x in known], "mixed": [x | some x in input.xs; x in mixed], "maybe": [x | some x in input.xs; x in maybe], "kind": [kind(x) | some x in input.xs]}`,
    inputs: [
      {
        xs: [
          'a',
          'b',
          'bb',
          'cc',
          'cd',
          'é',
          'e',
          '\u{1f600}x',
          'length',
          '',
          'ddd',
          1,
          null,
          ['a'],
          { a: 1 },
        ],
      },
      { xs: ['a', 'c'], on: true },
    ],
  },
  {
    name: 'false is a value, and no condition',
    rego: `decision := {"f": f, "n": n, "g": g(input.x)}
default f := "default"
f := false if input.x == 1
n if not f
g(x) := false if x == 1
g(x) := true if x == 2`,
    inputs: [{ x: 1 }, { x: 2 }, { x: 3 }],
  },
  {
    name: 'functions over constants, whole arguments and patterns',
    rego: `f("a", x) := [1, x]
f("b", [x, y]) := [x, y]
f("c", {"k": v}) := v
f("d", _) := null
decision := [r | some call in input.calls; r := f(call[0], call[1])]`,
    inputs: [
      {
        calls: [
          ['a', 1],
          ['b', [1, 2]],
          ['b', [1]],
          ['c', { k: 3 }],
          ['c', { k: 3, l: 4 }],
          ['d', 0],
          ['e', 0],
        ],
      },
    ],
  },
  {
    name: 'rules that only read data, under input that differs',
    rego: `owners := {w.owner | some w in data.works}
count_of[o] := n if { some o in owners; n := count([w | some w in data.works; w.owner == o]) }
decision := {"is": input.o in owners, "n": count_of[input.o]}`,
    data: { works: Array.from({ length: 20 }, (_, i) => ({ owner: `o${i % 3}` })) },
    inputs: [{ o: 'o1' }, { o: 'o9' }, { o: 'o1' }],
  },
]

const QUERIED = {
  'q/q.rego': 'package q.one\n\nr := "rule"\n',
  'q/t.rego': 'package q.two\n\nr := x if x := input.none\n',
  'q/u.rego': 'package q.three\n\nr contains 1\n',
}

const used = new Set<string>()

describe('as OPA evaluates', () => {
  for (const { name, rego, data = {}, inputs } of cases)
    test(name, { timeout: 60_000 }, async () => {
      const sources = {
        'p.rego': `package p\n\n${rego}\n`,
        ...QUERIED,
        'data.json': JSON.stringify(data),
      }
      const made = await compiler.build(sources, {
        capabilities: 'trust',
        entrypoints: ['p/decision'],
      })
      for (const { blocks } of [...readPlan(made.plan).functions, ...readPlan(made.plan).entries])
        for (const block of blocks) collect(block)
      const options = { capabilities: 'trust', entrypoint: 'p/decision', inputs } as const
      const right = await compiler.evaluate(sources, options)
      const policy = await createJitEngine().load(made)
      for (const [i, value] of inputs.entries()) {
        const text = JSON.stringify(value)
        const said = await Promise.try(() => policy.evaluate('p/decision', { value, text })).catch(
          (error: { code: string }) => error.code,
        )
        const { problem, value: wanted } = right[i]!
        expect(said, text).toEqual(problem === undefined ? wanted : 'evaluation_failed')
      }
      await policy.close()
    })
})

function collect(block: ReturnType<typeof readPlan>['entries'][number]['blocks'][number]): void {
  for (const statement of block) {
    used.add(statement.type)
    for (const inner of nested(statement)) collect(inner)
  }
}

/** The planner of this OPA does not write it. */
const UNPLANNED = ['NopStmt']

afterAll(() => {
  expect([...used].sort()).toEqual(KINDS.filter((kind) => !UNPLANNED.includes(kind)))
})

const KINDS =
  'ArrayAppendStmt AssignIntStmt AssignVarOnceStmt AssignVarStmt BlockStmt BreakStmt CallDynamicStmt CallStmt DotStmt EqualStmt IsArrayStmt IsDefinedStmt IsObjectStmt IsSetStmt IsUndefinedStmt LenStmt MakeArrayStmt MakeNullStmt MakeNumberIntStmt MakeNumberRefStmt MakeObjectStmt MakeSetStmt NopStmt NotEqualStmt NotStmt ObjectInsertOnceStmt ObjectInsertStmt ObjectMergeStmt ResetLocalStmt ResultSetAddStmt ReturnLocalStmt ScanStmt SetAddStmt WithStmt'.split(
    ' ',
  )
