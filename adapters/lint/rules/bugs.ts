/** What is written otherwise than it is meant. */
import {
  callOf,
  chainOf,
  type Expr,
  isCall,
  isScalar,
  isWildcard,
  type RuleNode,
  refName,
  ruleName,
  soleTerm,
  sourceOf,
  type Term,
  termsIn,
} from '../ast.ts'
import { arityOf, isOperator, resultOf } from '../builtins.ts'
import { bodiesOf, exprsOf, type Module, rulesAt } from '../program.ts'
import type { LintRule, Spot } from '../rule.ts'

const COMPARISONS = new Set(['equal', 'neq', 'lt', 'gt', 'lte', 'gte'])

const constantCondition: LintRule = {
  id: 'bugs/constant-condition',
  why: 'A condition that is the same for every input decides nothing, or everything.',
  next: 'compare with something of input or data, or take the condition away',
  bad: 'package assay.sample\n\nallow if 1 == 1\n',
  good: 'package assay.sample\n\nallow if input.now == 1\n',
  *check({ rules }) {
    for (const expr of rules.flatMap(exprsOf)) {
      if (expr.generated === true || !isConstant(expr)) continue
      const message = `${sourceOf(expr)} is the same whatever is asked`
      yield { at: expr.location, message }
    }
  },
}

function isConstant(expr: Expr): boolean {
  const term = soleTerm(expr)
  if (term !== undefined) return isScalar(term)
  const { name, operands } = callOf(expr) ?? { name: '', operands: [] }
  return COMPARISONS.has(name) && operands.every(isScalar)
}

const ifObjectLiteral: LintRule = {
  id: 'bugs/if-object-literal',
  why: 'After `if`, braces that hold `"key": value` or nothing are an object, and an object is always true.',
  next: 'write conditions between the braces; a comparison has ==',
  bad: 'package assay.sample\n\nallow if {"admin": input.admin}\n',
  good: 'package assay.sample\n\nallow if {\n\tinput.admin == true\n}\n',
  *check({ rules }) {
    for (const { body } of rules.flatMap(chainOf)) {
      const [only, ...more] = body
      const term = only && more.length === 0 && soleTerm(only)
      if (term && term.type === 'object')
        yield { at: term.location, message: 'this is an object, not conditions: it always holds' }
    }
  },
}

const inconsistentArgs: LintRule = {
  id: 'bugs/inconsistent-args',
  why: 'Functions of one name that call the same argument differently are read as if they took other things.',
  next: 'give the argument the same name in each',
  bad: 'package assay.sample\n\nf(user, role) if user == role\n\nf(_, user) if data.a == user\n',
  good: 'package assay.sample\n\nf(user, role) if user == role\n\nf(user, _) if data.a == user\n',
  *check(module, { packages }) {
    for (const [name, all] of packages.get(module.package.join('.')) ?? [])
      yield* differing(name, all, module)
  },
}

function* differing(name: string, all: readonly RuleNode[], { rules }: Module): Iterable<Spot> {
  const names: string[] = []
  for (const rule of all)
    for (const [at, argument] of (rule.head.args ?? []).entries()) {
      if (argument.type !== 'var' || isWildcard(argument.value as string)) continue
      const own = argument.value as string
      names[at] ??= own
      if (names[at] === own || !rules.includes(rule)) continue
      const message = `argument ${at + 1} of ${name} is ${own} here and ${names[at]} before`
      yield { at: argument.location, message }
    }
}

const redundantExistenceCheck: LintRule = {
  id: 'bugs/redundant-existence-check',
  why: 'A call whose argument is undefined is not true: asking for the argument alone just before says nothing more.',
  next: 'take the line away',
  bad: 'package assay.sample\n\nallow if {\n\tinput.name\n\tstartswith(input.name, "a")\n}\n',
  good: 'package assay.sample\n\nallow if startswith(input.name, "a")\n',
  *check({ rules }) {
    for (const body of rules.flatMap(bodiesOf))
      for (const [at, expr] of body.entries()) {
        const next = body[at + 1]
        if (next !== undefined && repeats(expr, next))
          yield { at: expr.location, message: `the next line needs ${sourceOf(expr)} anyway` }
      }
  },
}

function repeats(expr: Expr, next: Expr): boolean {
  const term = soleTerm(expr)
  if (term?.type !== 'ref' || isChanged(expr) || isChanged(next) || !isCall(next.terms))
    return false
  const { name, operands } = callOf(next) ?? { name: '', operands: [] }
  // `false` is a value for = and :=, and for functions of the author.
  if (isOperator(name) || resultOf(name) === undefined || refName(term) === undefined) return false
  return operands.some((operand) => refName(operand) === refName(term))
}

function isChanged(expr: Expr): boolean {
  return expr.negated === true || expr.with !== undefined
}

const ruleAssignsDefault: LintRule = {
  id: 'bugs/rule-assigns-default',
  why: 'A rule that gives what its default gives changes nothing: one of the two is wrong.',
  next: 'take the rule away, or correct its value',
  bad: 'package assay.sample\n\ndefault allow := false\n\nallow := false if input.blocked\n',
  good: 'package assay.sample\n\ndefault allow := false\n\nallow if not input.blocked\n',
  *check({ rules }) {
    const defaults = new Map(
      rules.flatMap((rule) => (rule.default ? [[ruleName(rule), valueText(rule)]] : [])),
    )
    for (const rule of rules) {
      if (rule.default === true || rule.head.args !== undefined || rule.else) continue
      const value = valueText(rule)
      if (value !== '' && defaults.get(ruleName(rule)) === value)
        yield { at: rule.location, message: `${ruleName(rule)} is ${value} by default already` }
    }
  },
}

function valueText({ head: { value } }: RuleNode): string {
  return value === undefined || !isScalar(value) ? '' : JSON.stringify(value.value)
}

const sprintfArgumentsMismatch: LintRule = {
  id: 'bugs/sprintf-arguments-mismatch',
  why: 'A verb without its value shows as %!s(MISSING) in a message, a value without a verb as %!(EXTRA).',
  next: 'give each verb of the format one value',
  bad: 'package assay.sample\n\nm := sprintf("%s has %d", [input.name])\n',
  good: 'package assay.sample\n\nm := sprintf("%s has %d%%", [input.name, 3])\n',
  *check({ rules }) {
    for (const node of rules.flatMap((rule) => [...termsIn(rule), ...exprsOf(rule)])) {
      const { name, operands, location } = callOf(node) ?? {}
      const [format, values] = operands ?? []
      if (name !== 'sprintf' || format?.type !== 'string' || values?.type !== 'array') continue
      const verbs = verbsOf(format.value as string)
      const given = (values.value as readonly Term[]).length
      if (verbs !== undefined && verbs !== given)
        yield { at: location, message: `the format has ${verbs} verbs for ${given} values` }
    }
  },
}

/** Undefined where a width or an index takes a value of its own. */
function verbsOf(format: string): number | undefined {
  const verbs = format.match(/%[-+# 0]*[\d.*[\]]*[a-zA-Z%]/g) ?? []
  if (verbs.some((verb) => /[*[]/.test(verb))) return undefined
  return verbs.filter((verb) => !verb.endsWith('%')).length
}

const unassignedReturnValue: LintRule = {
  id: 'bugs/unassigned-return-value',
  why: 'A call alone in a line is a condition, and what is no boolean always holds.',
  next: 'assign what it gives, or compare it',
  bad: 'package assay.sample\n\nallow if {\n\tlower(input.name)\n}\n',
  good: 'package assay.sample\n\nallow if {\n\tlower(input.name) == "ada"\n}\n',
  *check({ rules }) {
    for (const expr of rules.flatMap(exprsOf)) {
      const { name = '', operands = [] } = (isCall(expr.terms) && callOf(expr)) || {}
      const result = resultOf(name)
      if (result === undefined || result === 'boolean' || isOperator(name)) continue
      if (operands.length === arityOf(name))
        yield { at: expr.location, message: `${name} gives ${article(result)}, which always holds` }
    }
  },
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

const impossibleNot: LintRule = {
  id: 'bugs/impossible-not',
  why: 'A rule with `contains` is a set, an empty one too, and a set is true: `not` of it never holds.',
  next: 'ask for its size: count(...) == 0',
  bad: 'package assay.sample\n\ndeny contains "x" if input.x\n\nallow if not deny\n',
  good: 'package assay.sample\n\ndeny contains "x" if input.x\n\nallow if count(deny) == 0\n',
  *check(module, program) {
    for (const expr of module.rules.flatMap(exprsOf)) {
      const term = soleTerm(expr)
      const name = expr.negated === true && term ? refName(term)?.split('.') : undefined
      if (name === undefined || !rulesAt(name, module, program).some(isSetRule)) continue
      const message = `${name.at(-1)} is a set and always defined, so that this never holds`
      yield { at: expr.location, message }
    }
  },
}

/** `deny contains x`. */
export function isSetRule({ head }: RuleNode): boolean {
  return head.key !== undefined && head.value === undefined
}

export const BUGS: readonly LintRule[] = [
  constantCondition,
  ifObjectLiteral,
  inconsistentArgs,
  redundantExistenceCheck,
  ruleAssignsDefault,
  sprintfArgumentsMismatch,
  unassignedReturnValue,
  impossibleNot,
]
