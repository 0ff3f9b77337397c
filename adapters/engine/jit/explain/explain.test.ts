import { afterAll, describe, expect, test } from 'vitest'
import { type Case, explanationOf, nearest } from '../../../../test/explaining.ts'
import { compiler } from '../../../../test/rego.ts'

afterAll(() => compiler.close())

async function whyNot(given: Case): Promise<readonly string[]> {
  const { missed, outcome } = await explanationOf(given)
  expect(['denied', 'undefined']).toContain(outcome)
  return nearest(missed)
}

/** Rego without its package (so that its first row is 3), and what is expected of a denial. */
interface Denial extends Case {
  readonly lines: readonly string[]
}

const DENIALS: { readonly [name: string]: Denial } = {
  'a comparison': {
    rego: 'allow if input.user == "ada"\n',
    input: { user: 'bob' },
    lines: ['data.t.allow@3', '  3:10 false: input.user == "ada" (input.user="bob")'],
  },
  'what is not there': {
    rego: 'allow if input.user.name == "ada"\n',
    input: { user: {} },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: input.user.name == "ada" (input.user.name missing)',
    ],
  },
  'what is not there, from where on': {
    rego: 'allow if input.user.name == "ada"\n',
    input: {},
    lines: ['data.t.allow@3', '  3:10 undefined: input.user.name == "ada" (input.user missing)'],
  },
  'a yes or no': {
    rego: 'allow if input.ok\n',
    input: { ok: false },
    lines: ['data.t.allow@3', '  3:10 false: input.ok (input.ok=false)'],
  },
  'two bodies, the one that got further first': {
    rego: 'allow if {\n\tinput.a == 1\n}\n\nallow if {\n\tinput.b == 1\n\tinput.c == 1\n}\n',
    input: { a: 0, b: 1, c: 0 },
    lines: [
      'data.t.allow@7',
      '  9:2 false: input.c == 1 (input.c=0)',
      'data.t.allow@3',
      '  4:2 false: input.a == 1 (input.a=0)',
    ],
  },
  'a variable': {
    rego: 'allow if {\n\tx := input.a + 1\n\tx > 10\n}\n',
    input: { a: 2 },
    lines: ['data.t.allow@3', '  5:2 false: x > 10 (x=3)'],
  },
  'a function, with where its arguments come from': {
    rego: 'allow if same(input.a, input.b)\n\nsame(x, y) if x == y\n',
    input: { a: 1, b: 2 },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: same(input.a, input.b) (input.a=1, input.b=2)',
      '    data.t.same@5',
      '      5:15 false: x == y (input.a=1, input.b=2)',
    ],
  },
  'a function, not for other arguments': {
    rego: 'allow if holds("b")\n\nholds("a") if input.a\n\nholds("b") if input.b\n',
    input: { a: false, b: false },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: holds("b") ()',
      '    data.t.holds@7',
      '      7:15 false: input.b (input.b=false)',
    ],
  },
  'a rule': {
    rego: 'allow if owner\n\nowner if input.owner == input.user\n',
    input: { owner: 'ada', user: 'bob' },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: owner (data.t.owner missing)',
      '    data.t.owner@5',
      '      5:10 false: input.owner == input.user (input.owner="ada", input.user="bob")',
    ],
  },
  'a rule that is another name': {
    rego: 'allow if user.name == "ada"\n\nuser := input.session.user\n',
    input: { session: { user: { name: 'bob' } } },
    lines: ['data.t.allow@3', '  3:10 false: user.name == "ada" (input.session.user.name="bob")'],
  },
  'the binding that got furthest': {
    rego: 'allow if {\n\tsome doc in data.docs\n\tdoc.owner == input.user\n\tdoc.open\n}\n',
    data: { docs: [{ owner: 'bob' }, { owner: 'ada', open: false }, { owner: 'joe' }] },
    input: { user: 'ada' },
    lines: ['data.t.allow@3', '  6:2 false: doc.open (data.docs[1].open=false)'],
  },
  'nothing to go through': {
    rego: 'allow if {\n\tsome role in input.roles\n\trole == "admin"\n}\n',
    input: { roles: [] },
    lines: ['data.t.allow@3', '  4:2 empty: some role in input.roles (input.roles=[])'],
  },
  every: {
    rego: 'allow if {\n\tevery x in input.xs {\n\t\tx > 1\n\t}\n}\n',
    input: { xs: [2, 1, 3] },
    lines: [
      'data.t.allow@3',
      '  4:2 false: every x in input.xs { x > 1 } (input.xs=[2,1,3])',
      '    5:3 false: x > 1 (input.xs[1]=1)',
    ],
  },
  'every, over what is no collection': {
    rego: 'allow if {\n\tevery x in input.xs {\n\t\tx > 1\n\t}\n}\n',
    input: { xs: 7 },
    lines: ['data.t.allow@3', '  4:2 false: every x in input.xs { x > 1 } (input.xs=7)'],
  },
  not: {
    rego: 'allow if not frozen\n\nfrozen if input.state == "frozen"\n',
    input: { state: 'frozen' },
    lines: [
      'data.t.allow@3',
      '  3:10 holds: not frozen (data.t.frozen=true)',
      '    data.t.frozen@5 = true',
      '      5:11 input.state == "frozen" (input.state="frozen")',
    ],
  },
  membership: {
    rego: 'allow if input.role in {"a", "b"}\n',
    input: { role: 'c' },
    lines: ['data.t.allow@3', '  3:10 false: input.role in {"a", "b"} (input.role="c")'],
  },
  'a set that is empty': {
    rego: 'allow if count(granted) > 0\n\ngranted contains role if {\n\tsome role in input.roles\n\tdata.roles[role]\n}\n',
    data: { roles: { admin: true } },
    input: { roles: ['member', 'guest'] },
    lines: [
      'data.t.allow@3',
      '  3:10 false: count(granted) > 0 (data.t.granted=[], count(granted)=0)',
      '    data.t.granted@5',
      '      7:2 undefined: data.roles[role] (input.roles[0]="member", data.roles.member missing)',
    ],
  },
  'a comprehension': {
    rego: 'allow if count([name | some name in input.names; name == "ada"]) > 0\n',
    input: { names: ['bob', 'joe'] },
    lines: [
      'data.t.allow@3',
      '  3:10 false: count([name | some name in input.names; name == "ada"]) > 0 ([name | some name in input.names; name == "ada"]=[], count([name | some name in input.names; name == "ada"])=0)',
      '    3:50 false: name == "ada" (input.names[0]="bob")',
    ],
  },
  with: {
    rego: 'allow if grown with input.age as 3\n\ngrown if input.age > 17\n',
    input: { age: 30 },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: grown with input.age as 3 (data.t.grown missing)',
      '    data.t.grown@5',
      '      5:10 false: input.age > 17 (input.age=3)',
    ],
  },
  'a default': {
    rego: 'default allow := false\n\nallow if input.n > limit\n\ndefault limit := 3\n\nlimit := input.limit\n',
    input: { n: 2 },
    lines: ['data.t.allow@5', '  5:10 false: input.n > limit (input.n=2, data.t.limit=3)'],
  },
  'a branch of an else': {
    rego: 'allow := false if {\n\tinput.locked\n} else := true if {\n\tinput.user == "ada"\n}\n',
    input: { user: 'bob' },
    lines: ['data.t.allow@5', '  6:2 false: input.user == "ada" (input.user="bob")'],
  },
  'no branch behind one that held': {
    rego: 'allow := false if {\n\tinput.locked\n} else := true if {\n\tinput.user == "ada"\n}\n',
    input: { locked: true, user: 'ada' },
    lines: [],
  },
  'a key that is looked up': {
    rego: 'allow if data.roles[input.role][input.action]\n',
    data: { roles: { reader: { read: true } } },
    input: { role: 'reader', action: 'write' },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: data.roles[input.role][input.action] (input.role="reader", input.action="write", data.roles.reader.write missing)',
    ],
  },
  'a value of the head': {
    rego: 'allow := data.rules[input.action]\n',
    data: { rules: {} },
    input: { action: 'read' },
    lines: [
      'data.t.allow@3',
      '  3:1 undefined: allow := data.rules[input.action] (input.action="read", data.rules.read missing)',
    ],
  },
  'a grant that is overruled': {
    rego: 'allow if {\n\tinput.granted\n\tcount(deny) == 0\n}\n\ndeny contains "frozen" if input.state == "frozen"\n',
    input: { granted: true, state: 'frozen' },
    lines: [
      'data.t.allow@3',
      '  5:2 false: count(deny) == 0 (data.t.deny=["frozen"], count(deny)=1)',
      '    data.t.deny@8 = "frozen"',
      '      8:27 input.state == "frozen" (input.state="frozen")',
    ],
  },
  'a built-in without a value': {
    rego: 'allow if to_number(input.n) > 1\n',
    input: { n: 'x' },
    lines: [
      'data.t.allow@3',
      '  3:10 undefined: to_number(input.n) > 1 (input.n="x", to_number(input.n) missing)',
    ],
  },
  'a pattern': {
    rego: 'allow if [1, x] = input.pair\n',
    input: { pair: [2, 3] },
    lines: ['data.t.allow@3', '  3:10 false: [1, x] = input.pair (input.pair[0]=2)'],
  },
  false: {
    rego: 'allow if {\n\tinput.a\n\tfalse\n}\n',
    input: { a: true },
    lines: ['data.t.allow@3', '  5:2 false: false ()'],
  },
  'two calls of one function': {
    rego: 'allow if count(input.a) + count(input.b) > 9\n',
    input: { a: [1], b: [1, 2] },
    lines: [
      'data.t.allow@3',
      '  3:10 false: count(input.a) + count(input.b) > 9 (input.a=[1], count(input.a)=1, input.b=[1,2], count(input.b)=2, count(input.a) + count(input.b)=3)',
    ],
  },
  'an object of rules': {
    rego: 'roles[name] := role if {\n\tsome name, role in input.roles\n}\n\nallow if roles[input.name].admin\n',
    input: { name: 'ada', roles: { ada: { admin: false } } },
    lines: [
      'data.t.allow@7',
      '  7:10 false: roles[input.name].admin (input.name="ada", data.t.roles.ada.admin=false)',
      '    data.t.roles[_]@3 = {"ada":{"admin":false}}',
      '      4:2 some name, role in input.roles (input.roles.ada={"admin":false})',
    ],
  },
  'every within a function within not': {
    rego: 'allow if not bad(input.xs)\n\nbad(xs) if {\n\tevery x in xs {\n\t\tx > 1\n\t}\n}\n',
    input: { xs: [2, 3] },
    lines: [
      'data.t.allow@3',
      '  3:10 holds: not bad(input.xs) (input.xs=[2,3])',
      '    data.t.bad@5 = true',
      '      6:2 every x in xs { x > 1 } (input.xs=[2,3])',
    ],
  },
}

describe('the nearest condition of a denial', () => {
  test.each(Object.entries(DENIALS))('%s', async (_, { lines, ...given }) => {
    expect(await whyNot(given)).toEqual(lines)
  })
})
