/** Small Rego programs out of a grammar: rules of every kind, each using those before it. */
import { body } from './body.ts'
import type { Dice } from './dice.ts'
import { expression, scalar } from './expression.ts'
import { common, type Rule, Scope, type Type, type Typed } from './names.ts'

export interface Program {
  /** A module of package `g.<name>`. Not every one is Rego: OPA's compiler refuses a share of them. */
  readonly rego: string
  /**
   * A module of package `e.<name>` with the same rules by the same names, its functions aside. OPA cannot make an entry point of a rule that
   * a function uses.
   */
  readonly entry: string
}

export function program(dice: Dice, name: string): Program {
  const rules: Rule[] = []
  const lines = [`package g.${name}`]
  for (let left = 3 + dice.below(4); left > 0; left--) {
    const scope = new Scope(dice, `data.g.${name}`, [...rules])
    const { arity = 0, kind, text, type } = dice.pick(KINDS)(scope, `r${rules.length}`)
    lines.push(text)
    rules.push({ name: `r${rules.length}`, kind, type, arity })
  }
  const asked = rules
    .filter(({ kind }) => kind !== 'function')
    .map((rule) => `${rule.name} := data.g.${name}.${rule.name}`)
  return {
    rego: `${lines.join('\n\n')}\n`,
    entry: `${[`package e.${name}`, ...asked].join('\n\n')}\n`,
  }
}

interface Made {
  readonly kind: Rule['kind']
  readonly text: string
  readonly type: Type
  readonly arity?: number
}
type Make = (scope: Scope, name: string) => Made

const DEPTH = 2

function block(lines: readonly string[]): string {
  return `{\n${lines.map((line) => `\t${line}\n`).join('')}}`
}

const complete: Make = (scope, name) => {
  const { inner, text } = body(scope, DEPTH, 3)
  const value = expression(inner, DEPTH)
  return { kind: 'value', type: value.type, text: `${name} := ${value.text} if ${block(text)}` }
}

const constant: Make = (scope, name) => {
  const value = expression(scope, DEPTH + 1)
  return { kind: 'value', type: value.type, text: `${name} := ${value.text}` }
}

const truth: Make = (scope, name) => {
  const bodies = scope.dice.list(1, 3, () => `${name} if ${block(body(scope, DEPTH, 3).text)}`)
  const fallback = scope.dice.chance(50) ? [`default ${name} := ${scalar(scope.dice).text}`] : []
  return { kind: 'value', type: 'opaque', text: [...fallback, ...bodies].join('\n\n') }
}

/** Values with a body each, of which the first that holds counts. */
function chain(scope: Scope): Typed {
  const values: Typed[] = []
  const alternatives = scope.dice.list(2, 3, () => {
    const { inner, text } = body(scope, DEPTH, 2)
    const value = expression(inner, 1)
    values.push(value)
    return `:= ${value.text} if ${block(text)}`
  })
  return { text: alternatives.join(' else '), type: common(values) }
}

const ordered: Make = (scope, name) => {
  const { text, type } = chain(scope)
  if (!scope.dice.chance(40)) return { kind: 'value', type, text: `${name} ${text}` }
  const fallback = `default ${name} := ${scalar(scope.dice).text}\n\n`
  return { kind: 'value', type: 'opaque', text: `${fallback}${name} ${text}` }
}

const partialSet: Make = (scope, name) => {
  const parts = scope.dice.list(1, 3, () => {
    const { inner, text } = body(scope, DEPTH, 3)
    return `${name} contains ${expression(inner, 1).text} if ${block(text)}`
  })
  return { kind: 'set', type: 'set', text: parts.join('\n\n') }
}

/** One key with two values is a conflict: mostly there is one value for all keys. */
const partialObject: Make = (scope, name) => {
  const { dice } = scope
  const parts = dice.list(1, 2, () => {
    const { inner, text } = body(scope, DEPTH, 3)
    const value = dice.chance(80) ? '1' : expression(inner, 1).text
    const key = keyed(inner)
    return `${name}[${key.name}] := ${value} if ${block([...text, key.text])}`
  })
  return { kind: 'object', type: 'object', text: parts.join('\n\n') }
}

/** A key in the head of a rule: bound in its body, for one that is a constant makes another rule. */
function keyed(scope: Scope): { readonly name: string; readonly text: string } {
  const name = scope.fresh()
  return { name, text: `${name} := ${expression(scope, 1).text}` }
}

/** Rules whose names are paths: one document from several of them. */
const nested: Make = (scope, name) => {
  const { dice } = scope
  const parts = [`${name}.a := ${expression(scope, DEPTH).text}`]
  const add = (head: (key: string, value: string) => string): void => {
    if (!dice.chance(50)) return
    const { inner, text } = body(scope, DEPTH, 2)
    const key = keyed(inner)
    const value = expression(inner, 0).text
    parts.push(`${name}.${head(key.name, value)} if ${block([...text, key.text])}`)
  }
  add((key) => `b[${key}] := 1`)
  add((_, value) => `c contains ${value}`)
  add((key, value) => `l[${key}].o contains ${value}`)
  if (dice.chance(30)) {
    const { inner, text } = body(scope, DEPTH, 2)
    const [one, two] = [keyed(inner), keyed(inner)]
    const head = `${name}.o[${one.name}][${two.name}] := 1`
    parts.push(`${head} if ${block([...text, one.text, two.text])}`)
  }
  return { kind: 'object', type: 'object', text: parts.join('\n\n') }
}

const ordinaryFunction: Make = (scope, name) => {
  const { dice } = scope
  const arity = 1 + dice.below(2)
  const values: Typed[] = []
  const parts = dice.list(1, 2, () => {
    const names = Array.from({ length: arity }, () => scope.fresh())
    const parameters = names.map((one) => (dice.chance(20) ? scalar(dice).text : one))
    const bound = names.filter((one) => parameters.includes(one))
    const { inner, text } = body(scope.with('any', ...bound), DEPTH, 2)
    const value: Typed = dice.chance(60) ? { text: '1', type: 'number' } : expression(inner, 1)
    values.push(value)
    return `${name}(${parameters.join(', ')}) := ${value.text} if ${block(text)}`
  })
  const blanks = Array(arity).fill('_').join(', ')
  const fallback = dice.chance(25) ? [`default ${name}(${blanks}) := 1`] : []
  return { kind: 'function', type: 'opaque', arity, text: [...fallback, ...parts].join('\n\n') }
}

const orderedFunction: Make = (scope, name) => {
  const parameter = scope.fresh()
  const { text, type } = chain(scope.with('any', parameter))
  return { kind: 'function', type, arity: 1, text: `${name}(${parameter}) ${text}` }
}

const KINDS: readonly Make[] = [
  complete,
  complete,
  constant,
  nested,
  ordered,
  ordinaryFunction,
  orderedFunction,
  partialObject,
  partialSet,
  partialSet,
  truth,
]
