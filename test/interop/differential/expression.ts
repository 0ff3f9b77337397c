/** Rego expressions that have a value, most of the time. */
import { body } from './body.ts'
import { CALLS } from './calls.ts'
import type { Dice } from './dice.ts'
import { common, type Scope, type Type, type Typed } from './names.ts'

export const TEXTS: readonly string[] = [
  'a',
  'b',
  'c',
  '',
  'é',
  '\u{10348}',
  'a b',
  'length',
  '__proto__',
  'constructor',
]
const NUMBERS = ['0', '1', '2', '3', '-1', '0.5', '10', '9007199254740993', '2.5']
/** Members that inputs have, and some that few have. */
const MEMBERS = ['a', 'b', 'c', 'l', 'o', 's', 'constructor', 'none']
const DATA = [
  'data.d.list',
  'data.d.list["0"]',
  'data.d.long',
  'data.d.rows[2]',
  'data.d.map[1]',
  'data.d.map',
  'data.d.users',
  'data.d.n',
  'data.d',
]
const COLLECTIONS: readonly Type[] = ['array', 'object', 'set']

export function scalar(dice: Dice): Typed {
  const kind = dice.below(10)
  if (kind < 4) return { text: JSON.stringify(dice.pick(TEXTS)), type: 'string' }
  if (kind < 8) return { text: dice.pick(NUMBERS), type: 'number' }
  if (kind < 9) return { text: 'null', type: 'null' }
  return { text: dice.pick(['true', 'false']), type: 'boolean' }
}

/** @param depth how much deeper it may go. @param wanted types that fit where it stands; all without */
export function expression(scope: Scope, depth: number, wanted?: readonly Type[]): Typed {
  for (let tries = 0; tries < 6; tries++) {
    const made = anything(scope, depth)
    if (wanted === undefined || made.type === 'any' || wanted.includes(made.type)) return made
  }
  return path(scope)
}

/** The other side of an equality. */
export function equalTo({ type }: Typed, scope: Scope, depth: number): Typed {
  const scalars: readonly Type[] = ['boolean', 'null', 'number', 'string']
  if (type === 'any') return expression(scope, depth)
  return expression(scope, depth, scalars.includes(type) ? [type] : [])
}

function anything(scope: Scope, depth: number): Typed {
  const { dice } = scope
  if (depth <= 0) return leaf(scope)
  const kind = dice.below(20)
  if (kind < 7) return leaf(scope)
  if (kind < 10) return reference(scope, depth - 1)
  if (kind < 13) return container(scope, depth - 1)
  if (kind < 15) return comprehension(scope, depth - 1)
  if (kind < 18) return call(scope, depth - 1)
  return operation(scope, depth - 1)
}

function leaf(scope: Scope): Typed {
  const { dice, variables } = scope
  const rules = scope.of('set', 'object', 'value')
  const kind = dice.below(10)
  if (kind < 4 && variables.length > 0) return dice.pick(variables)
  if (kind < 5 && rules.length > 0) {
    const rule = dice.pick(rules)
    return { text: scope.called(rule), type: rule.type }
  }
  return kind < 8 ? path(scope) : scalar(dice)
}

/** Something with members: input, data, a rule, a variable. */
export function collection(scope: Scope, depth: number): Typed {
  const { dice } = scope
  const fits = ({ type }: { readonly type: Type }): boolean =>
    type === 'any' || COLLECTIONS.includes(type)
  const rules = scope.of('set', 'object', 'value').filter(fits)
  const variables = scope.variables.filter(fits)
  const kind = dice.below(10)
  if (kind < 3 && rules.length > 0) {
    const rule = dice.pick(rules)
    return { text: scope.called(rule), type: rule.type }
  }
  if (kind < 5 && variables.length > 0) return dice.pick(variables)
  return kind < 8 || depth <= 0 ? path(scope) : container(scope, depth - 1)
}

export function path(scope: Scope): Typed {
  const { dice } = scope
  if (dice.chance(25)) return { text: dice.pick(DATA), type: 'any' }
  const more = dice.list(0, 1, () => member(dice))
  return { text: `input.${dice.pick(MEMBERS)}${more.join('')}`, type: 'any' }
}

function member(dice: Dice): string {
  const name = dice.pick(MEMBERS)
  return dice.chance(70) ? `.${name}` : dice.pick([`["${name}"]`, '[0]', '[1]', '["é"]'])
}

/** A reference into something, by a constant or by what has a value already. */
function reference(scope: Scope, depth: number): Typed {
  const { dice } = scope
  const partial = scope.of('set', 'object')
  if (partial.length > 0 && dice.chance(40)) {
    const text = `${scope.called(dice.pick(partial))}[${expression(scope, 0, []).text}]`
    return { text, type: 'opaque' }
  }
  const steps = dice.list(1, 2, () =>
    dice.chance(50) ? member(dice) : `[${expression(scope, Math.min(depth, 1)).text}]`,
  )
  return { text: `${referable(scope).text}${steps.join('')}`, type: 'any' }
}

/** What a bracket may follow. */
export function referable(scope: Scope): Typed {
  const { dice } = scope
  const known = [
    ...scope.variables,
    ...scope.of('value').map((rule) => ({ text: scope.called(rule), type: rule.type })),
  ].filter(({ type }) => type === 'any')
  return known.length > 0 && dice.chance(50) ? dice.pick(known) : path(scope)
}

function container(scope: Scope, depth: number): Typed {
  const { dice } = scope
  const items = (least: number): string =>
    dice.list(least, 3, () => expression(scope, depth).text).join(', ')
  const kind = dice.below(4)
  if (kind === 0) return { text: `[${items(0)}]`, type: 'array' }
  if (kind === 1) return { text: dice.chance(10) ? 'set()' : `{${items(1)}}`, type: 'set' }
  const members = dice.list(0, 3, () => {
    const key = dice.chance(70) ? JSON.stringify(dice.pick(TEXTS)) : expression(scope, 0).text
    return `${key}: ${expression(scope, depth).text}`
  })
  return { text: `{${members.join(', ')}}`, type: 'object' }
}

function comprehension(scope: Scope, depth: number): Typed {
  const { dice } = scope
  const { inner, text } = body(scope, depth, 2)
  const value = expression(inner, Math.min(depth, 1)).text
  const statements = text.join('; ')
  const kind = dice.below(4)
  if (kind === 0) return { text: `[${value} | ${statements}]`, type: 'array' }
  if (kind === 1) return { text: `{${value} | ${statements}}`, type: 'set' }
  if (kind === 2)
    return { text: `{${expression(inner, 0).text}: ${value} | ${statements}}`, type: 'object' }
  return { text: `count([${value} | ${statements}])`, type: 'number' }
}

function call(scope: Scope, depth: number): Typed {
  const { dice } = scope
  const functions = scope.of('function')
  if (functions.length > 0 && dice.chance(50)) {
    const made = dice.pick(functions)
    const operands = Array.from({ length: made.arity }, () => expression(scope, depth, []).text)
    return { text: `${scope.called(made)}(${operands.join(', ')})`, type: made.type }
  }
  if (dice.chance(8)) {
    const parts = dice.list(1, 2, () => `{${expression(scope, 0).text}}`)
    return { text: `$"x ${parts.join('-')}"`, type: 'string' }
  }
  const { name, operands, type } = dice.pick(CALLS)
  const given = operands.map((wanted) =>
    typeof wanted === 'string' ? wanted : expression(scope, depth, wanted).text,
  )
  return { text: `${name}(${given.join(', ')})`, type }
}

function operation(scope: Scope, depth: number): Typed {
  const { dice } = scope
  if (dice.chance(35)) {
    const text = `(${expression(scope, depth).text} in ${collection(scope, depth).text})`
    return { text, type: 'boolean' }
  }
  const left = expression(scope, depth)
  if (dice.chance(15))
    return { text: `(${left.text} == ${equalTo(left, scope, depth).text})`, type: 'boolean' }
  if (dice.chance(25)) {
    const operator = dice.pick(['!=', '<', '>='])
    return { text: `(${left.text} ${operator} ${expression(scope, depth).text})`, type: 'boolean' }
  }
  return dice.chance(60)
    ? infix(scope, depth, ['+', '-', '*', '/', '%'], 'number')
    : infix(scope, depth, ['|', '&', '-'], 'set')
}

function infix(scope: Scope, depth: number, operators: readonly string[], type: Type): Typed {
  const sides = [expression(scope, depth, [type]), expression(scope, depth, [type])]
  const operator = scope.dice.pick(operators)
  const isKnown = operator !== '-' || common(sides) === type
  const text = `(${sides.map((side) => side.text).join(` ${operator} `)})`
  return { text, type: isKnown ? type : 'opaque' }
}
