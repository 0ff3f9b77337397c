/** Bodies of rules, comprehensions and `every`: statements that hold in none, one or many ways. */
import { collection, equalTo, expression, path, referable, scalar } from './expression.ts'
import type { Scope, Type } from './names.ts'

export interface Body {
  readonly text: readonly string[]
  /** With what the body has bound. */
  readonly inner: Scope
}

export function body(scope: Scope, depth: number, most: number): Body {
  const text: string[] = []
  let inner = scope
  for (let left = 1 + scope.dice.below(most); left > 0; left--) {
    const next = statement(inner, depth)
    text.push(next.text)
    inner = next.inner
  }
  return { text, inner }
}

interface Statement {
  readonly text: string
  readonly inner: Scope
}

function statement(scope: Scope, depth: number): Statement {
  const kind = scope.dice.below(12)
  if (kind < 3) return iteration(scope, depth)
  if (kind < 5) return assignment(scope, depth)
  if (kind < 6) return pattern(scope)
  if (kind < 7) return scope.dice.chance(30) ? walked(scope) : looked(scope, depth)
  return { text: modified(scope, condition(scope, depth)), inner: scope }
}

/** `some` in its ways, and a reference with a variable in it. */
function iteration(scope: Scope, depth: number): Statement {
  const { dice } = scope
  const [first, second] = [scope.fresh(), scope.fresh()]
  const from = collection(scope, depth)
  const type: Type = from.type === 'any' ? 'any' : 'opaque'
  const kind = dice.below(6)
  if (kind < 2) return { text: `some ${first} in ${from.text}`, inner: scope.with(type, first) }
  if (kind < 3)
    return {
      text: `some ${first}, ${second} in ${from.text}`,
      inner: scope.with(type, first, second),
    }
  const partial = scope.of('set', 'object')
  if (kind < 4 && partial.length > 0) {
    const text = `${second} := ${scope.called(dice.pick(partial))}[${first}]`
    return { text, inner: scope.with('opaque', first, second) }
  }
  const head = referable(scope).text
  if (kind < 5) return { text: `${second} := ${head}[_]`, inner: scope.with('any', second) }
  const text = `some ${first}; ${second} := ${head}[${first}]`
  return { text, inner: scope.with('any', first, second) }
}

function assignment(scope: Scope, depth: number): Statement {
  const name = scope.fresh()
  const { text, type } = expression(scope, depth)
  return { text: `${name} := ${text}`, inner: scope.with(type, name) }
}

/** A value taken apart. */
function pattern(scope: Scope): Statement {
  const { dice } = scope
  const [first, second] = [scope.fresh(), scope.fresh()]
  const from = referable(scope).text
  const kind = dice.below(4)
  if (kind < 1)
    return { text: `[${first}, ${second}] := ${from}`, inner: scope.with('any', first, second) }
  if (kind < 2) return { text: `{"a": ${first}} := ${from}`, inner: scope.with('any', first) }
  const fixed = scalar(dice).text
  const parts = dice.pick([
    `[${first}, ${fixed}]`,
    `{"a": ${first}, "b": ${fixed}}`,
    `[[${first}, _], ${fixed}]`,
    `{"a": [${fixed}, ${first}]}`,
  ])
  return { text: `some ${first}; ${parts} = ${from}`, inner: scope.with('any', first) }
}

function walked(scope: Scope): Statement {
  const [at, value] = [scope.fresh(), scope.fresh()]
  const inner = scope.with('any', value).with('array', at)
  return { text: `walk(${path(scope).text}, [${at}, ${value}])`, inner }
}

const TABLES = ['data.d.rows', 'data.d.table', 'input.l', 'input.o', 'data.d.long']
const FIELDS = ['a', 'b', 'c']

/** A scan that begins with equalities, which an engine may look up instead. */
function looked(scope: Scope, depth: number): Statement {
  const { dice } = scope
  const row = scope.fresh()
  const from = dice.pick(TABLES)
  const start = dice.chance(50) ? `some ${row} in ${from}` : `${row} := ${from}[_]`
  const equalities = dice.list(1, 2, () => {
    const sides = [`${row}.${dice.pick(FIELDS)}`, expression(scope, depth, NONE).text]
    return dice.chance(80) ? sides.join(' == ') : sides.reverse().join(' == ')
  })
  return { text: [start, ...equalities].join('; '), inner: scope.with('any', row) }
}

/** Binds nothing. */
function condition(scope: Scope, depth: number): string {
  const { dice } = scope
  const kind = dice.below(12)
  const left = expression(scope, depth)
  if (kind < 2) return `${left.text} == ${equalTo(left, scope, depth).text}`
  if (kind < 4) {
    const operator = dice.pick(['!=', '<', '<=', '>', '>='])
    return `${left.text} ${operator} ${expression(scope, depth).text}`
  }
  if (kind < 6) return `${left.text} in ${collection(scope, depth).text}`
  if (kind < 7) return `${left.text}, ${scalar(dice).text} in ${collection(scope, depth).text}`
  if (kind < 9) return `not ${plain(scope, depth)}`
  if (kind < 10 && depth > 0) return every(scope, depth - 1)
  return plain(scope, depth)
}

function plain(scope: Scope, depth: number): string {
  const { dice } = scope
  const left = expression(scope, depth)
  if (dice.chance(40)) return `${left.text} == ${equalTo(left, scope, depth).text}`
  if (dice.chance(40)) return `${left.text} in ${collection(scope, depth).text}`
  return left.text
}

/** Variables of `every` have to be used. */
function every(scope: Scope, depth: number): string {
  const { dice } = scope
  const names = dice.list(1, 2, () => scope.fresh())
  const inside = scope.with('opaque', ...names)
  const uses = names.map((name) => `${name} != ${expression(inside, 0).text}`)
  const { text } = body(inside, depth, 2)
  const from = collection(scope, depth).text
  return `every ${names.join(', ')} in ${from} { ${[...uses, ...text].join('; ')} }`
}

/** Only what may be anything. */
const NONE: readonly Type[] = []
const PLACES = ['input', 'input.a', 'input.l', 'input.o.a', 'data.d.list', 'data.d.map', 'data.d']

/** `with` puts other input, other data or another rule in place. */
function modified(scope: Scope, text: string): string {
  const { dice } = scope
  if (!dice.chance(15)) return text
  const rules = scope.of('set', 'object', 'value')
  const functions = scope.of('function')
  const value = expression(scope, 1).text
  const kind = dice.below(10)
  if (kind < 2 && rules.length > 0)
    return `${text} with ${scope.path}.${dice.pick(rules).name} as ${value}`
  if (kind < 4 && functions.length > 0)
    return `${text} with ${dice.pick(functions).name} as ${value}`
  if (kind < 5) return `${text} with count as ${scalar(dice).text}`
  const first = dice.pick(PLACES)
  const second = dice.pick(PLACES)
  const isOne = first.startsWith(second) || second.startsWith(first) || dice.chance(60)
  const more = isOne ? '' : ` with ${second} as ${expression(scope, 0).text}`
  return `${text} with ${first} as ${value}${more}`
}
