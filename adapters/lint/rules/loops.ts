/** Iteration that is not what it looks like. */
import {
  callOf,
  callsIn,
  type Expr,
  isSome,
  isWildcard,
  type RuleNode,
  ruleName,
  sourceOf,
  type Term,
  termsIn,
} from '../ast.ts'
import { documentAt, exprsOf, type Module, type Program, resolved, rulesAt } from '../program.ts'
import type { LintRule } from '../rule.ts'
import { declaredIn, isFree, soughtIn, usesIn } from '../variables.ts'
import { isSetRule } from './bugs.ts'

const notEqualsInLoop: LintRule = {
  id: 'bugs/not-equals-in-loop',
  why: '`x != list[_]` holds as soon as one element differs, not when none is equal.',
  next: 'write not x in list',
  bad: 'package assay.sample\n\nallow if "banned" != input.groups[_]\n',
  good: 'package assay.sample\n\nallow if not "banned" in input.groups\n',
  *check(module, program) {
    for (const rule of module.rules) {
      const known = namesKnown(rule, module, program)
      for (const { location, name, operands } of callsIn(rule)) {
        const loops = soughtIn(operands).some(({ value }) => isFree(value as string, known))
        if (name === 'neq' && loops)
          yield { at: location, message: 'this holds as soon as one element differs' }
      }
    }
  },
}

const unusedOutputVariable: LintRule = {
  id: 'bugs/unused-output-variable',
  why: 'A name in brackets that stands nowhere else takes any value: usually a misspelt one, and then the condition is wider than it looks.',
  next: 'write _ when any will do, else the name that was meant',
  bad: 'package assay.sample\n\nallow if data.roles[user].admin\n',
  good: 'package assay.sample\n\nallow if data.roles[input.user].admin\n',
  *check(module, program) {
    for (const rule of module.rules) {
      const known = namesKnown(rule, module, program)
      const uses = usesIn(rule)
      for (const term of soughtIn(rule)) {
        const name = term.value as string
        if (isWildcard(name) || known.has(name) || uses.get(name) !== 1) continue
        yield { at: term.location, message: `${name} takes any value: nothing else has that name` }
      }
    }
  },
}

const useSome: LintRule = {
  id: 'idiomatic/use-some-for-output-vars',
  why: 'A name without `some` is a loop today and a comparison on the day when somebody adds a rule of that name to the package.',
  next: 'declare it with some, or write some ... in',
  bad: 'package assay.sample\n\nallow if {\n\tinput.roles[i] == "admin"\n\tdata.active[i]\n}\n',
  good: 'package assay.sample\n\nallow if {\n\tsome i\n\tinput.roles[i] == "admin"\n\tdata.active[i]\n}\n',
  *check(module, program) {
    for (const rule of module.rules) {
      const known = namesKnown(rule, module, program)
      const uses = usesIn(rule)
      const seen = new Set<string>()
      for (const term of soughtIn(rule)) {
        const name = term.value as string
        if (isWildcard(name) || known.has(name) || seen.has(name) || uses.get(name) === 1) continue
        seen.add(name)
        yield { at: term.location, message: `${name} is a loop that no some declares` }
      }
    }
  },
}

const topLevelIteration: LintRule = {
  id: 'bugs/top-level-iteration',
  why: 'A rule with one value that loops in its head fails the evaluation as soon as two elements differ.',
  next: 'make it a set (contains) or say which element is meant',
  bad: 'package assay.sample\n\nuser := input.users[_]\n',
  good: 'package assay.sample\n\nusers contains user if some user in input.users\n',
  *check(module, program) {
    for (const rule of module.rules) {
      const { value, args, key } = rule.head
      const bare = rule.body.every(({ generated }) => generated === true)
      if (value?.type !== 'ref' || args !== undefined || key !== undefined || !bare) continue
      const known = namesKnown(rule, module, program)
      const free = (value.value as readonly Term[]).slice(1).some((term) => loops(term, known))
      if (free) yield { at: value.location, message: `${ruleName(rule)} gets a value per element` }
    }
  },
}

function loops({ type, value }: Term, known: ReadonlySet<string>): boolean {
  return type === 'var' && isFree(value as string, known)
}

/** What gives the same whatever the order of its operand is. */
const ORDERLESS = new Set(['sort', 'count', 'sum', 'product', 'max', 'min', 'internal.member_2'])

const unsortedComprehension: LintRule = {
  id: 'assay/unsorted-comprehension',
  why: 'An array over a set or an object is in the order of the engine that runs it: two engines give two answers, and a recorded decision does not replay.',
  next: 'put sort(...) around it, or make it a set',
  bad: 'package assay.sample\n\nnames := [name | some name in {"b", "a"}]\n',
  good: 'package assay.sample\n\nnames := sort([name | some name in {"b", "a"}])\n',
  *check(module, program) {
    for (const rule of module.test ? [] : module.rules) {
      const sorted = new Set(
        callsIn(rule).flatMap(({ name, operands }) => (ORDERLESS.has(name) ? operands : [])),
      )
      for (const term of termsIn(rule)) {
        if (term.type !== 'arraycomprehension' || sorted.has(term)) continue
        const { body } = term.value as { readonly body: readonly Expr[] }
        const domain = domainsOf(body).find((each) => isUnordered(each, rule, module, program))
        if (domain === undefined) continue
        const message = `${sourceOf(domain)} has no order of its own, and an array does`
        yield { at: term.location, message }
      }
    }
  },
}

/** What the expressions of a body loop over. */
function domainsOf(body: readonly Expr[]): readonly Term[] {
  return body.flatMap(({ terms }) =>
    isSome(terms) ? terms.symbols.flatMap((symbol) => callOf(symbol)?.operands.at(-1) ?? []) : [],
  )
}

const UNORDERED = new Set(['object', 'objectcomprehension', 'set', 'setcomprehension'])

function isUnordered(term: Term, rule: RuleNode, module: Module, program: Program): boolean {
  if (UNORDERED.has(term.type)) return true
  const call = callOf(term)
  if (call !== undefined) return ['object.keys', 'or', 'and', 'union'].includes(call.name)
  const path = pathOf(term)
  if (path === undefined) return false
  const local = assignedIn(rule, path)
  if (local !== undefined) return isUnordered(local, rule, module, program)
  if (rulesAt(path, module, program).some(isSetRule)) return true
  const document = documentAt(resolved(path, module), program.data)
  return typeof document === 'object' && document !== null && !Array.isArray(document)
}

function pathOf(term: Term): readonly string[] | undefined {
  if (term.type === 'var') return [term.value as string]
  const parts = term.type === 'ref' ? (term.value as readonly Term[]) : []
  const constant = parts.length > 0 && parts.slice(1).every(({ type }) => type === 'string')
  return constant ? parts.map(({ value }) => value as string) : undefined
}

/** What `name := ...` in the rule gives it; a name may not be assigned twice in a body, so the first will do. */
function assignedIn(rule: RuleNode, path: readonly string[]): Term | undefined {
  if (path.length > 1) return undefined
  for (const { terms } of exprsOf(rule)) {
    const { name, operands } = callOf({ terms, location: { row: 1, col: 1 } } as Expr) ?? {}
    const [left, right] = operands ?? []
    if (name === 'assign' && left?.type === 'var' && left.value === path[0] && right !== left)
      return pathOf(right!)?.[0] === path[0] ? undefined : right
  }
  return undefined
}

/** Names that have a value without a loop: declared ones, arguments, imports, and the rules of the package. */
function namesKnown(rule: RuleNode, module: Module, program: Program): ReadonlySet<string> {
  const imports = (module.tree.imports ?? []).map(({ alias, path }) => {
    const parts = path.value as readonly Term[]
    return alias ?? String(parts.at(-1)?.value)
  })
  const rules = program.packages.get(module.package.join('.'))?.keys() ?? []
  const roots = [...rules].map((name) => name.split('.')[0]!)
  const declared = declaredIn(rule).map(({ name }) => name)
  return new Set([...declared, ...imports, ...roots, 'data', 'input'])
}

export const LOOPS: readonly LintRule[] = [
  notEqualsInLoop,
  topLevelIteration,
  unsortedComprehension,
  unusedOutputVariable,
  useSome,
]
