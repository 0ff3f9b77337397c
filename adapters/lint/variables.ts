/** Where the variables of a rule come from, and where they are used. Scopes are not told apart: what is unsure is not found. */
import {
  callOf,
  type Expr,
  isCall,
  isEvery,
  isExpr,
  isSome,
  isWildcard,
  nodes,
  type RuleNode,
  type Term,
  termsIn,
} from './ast.ts'

export interface Declared {
  readonly name: string
  readonly at: Term
}

/** Names that an author gives on purpose: arguments, `:=`, `some`, `every`, and both sides of `=`. */
export function declaredIn(rule: RuleNode): readonly Declared[] {
  const given = nodes(rule).flatMap((node) => [
    ...('args' in node ? (node.args as readonly Term[]) : []),
    ...(isExpr(node) ? declaredBy(node) : []),
  ])
  return given.flatMap((term) => namesIn(term))
}

/** The terms in which an expression declares. */
export function declaredBy({ terms }: Expr): readonly Term[] {
  if (isSome(terms)) return terms.symbols.flatMap(iterated)
  if (isEvery(terms)) return terms.key === null ? [terms.value] : [terms.key, terms.value]
  if (!isCall(terms)) return []
  const { name, operands } = callOf({ terms, location: { row: 1, col: 1 } } as Expr) ?? {}
  if (name === 'assign') return operands!.slice(0, 1)
  return name === 'eq' ? operands! : []
}

/** `some x, y in z` declares x and y; `some x` declares x. */
function iterated(symbol: Term): readonly Term[] {
  const call = callOf(symbol)
  return call === undefined ? [symbol] : call.operands.slice(0, -1)
}

/** Variables in a pattern such as `[a, {"b": c}]`, those of references left out. */
function namesIn(term: Term): readonly Declared[] {
  if (term.type === 'ref' || term.type === 'call') return []
  if (term.type === 'var') return [{ name: term.value as string, at: term }]
  return Array.isArray(term.value) ? (term.value.flat() as Term[]).flatMap(namesIn) : []
}

/** Variables in the places of references where a value is looked for: `x` of `input.list[x]`. */
export function soughtIn(node: object): readonly Term[] {
  return termsIn(node)
    .filter(({ type }) => type === 'ref')
    .flatMap(({ value }) => (value as readonly Term[]).slice(1))
    .filter(({ type }) => type === 'var')
}

/** How often each variable stands anywhere in a rule. */
export function usesIn(rule: RuleNode): ReadonlyMap<string, number> {
  const uses = new Map<string, number>()
  for (const { type, value } of termsIn(rule))
    if (type === 'var') uses.set(value as string, (uses.get(value as string) ?? 0) + 1)
  return uses
}

/** Whether a variable in brackets ranges over a collection: `_`, or a name that nothing else gives a value. */
export function isFree(name: string, known: ReadonlySet<string>): boolean {
  return isWildcard(name) || !known.has(name)
}
