/**
 * OPA's syntax tree as `OpaCompiler.syntax` gives it, as far as rules of lint read it: before compilation, so names are those of the author.
 *
 * @see https://www.openpolicyagent.org/docs/policy-reference the grammar
 */
export interface Location {
  readonly row: number
  readonly col: number
  /** Base64 of the source text. */
  readonly text?: string
}
interface Node {
  readonly location?: Location
}
export interface Term extends Node {
  readonly type: string
  readonly value: unknown
}
/** An expression: one term, a call (the operator's reference, then its operands), `some` or `every`. */
export interface Expr extends Node {
  readonly terms: Term | readonly Term[] | Some | Every
  readonly negated?: boolean
  /** Not written by the author: `true` where a rule has no body. */
  readonly generated?: boolean
  readonly with?: readonly Node[]
}
export interface Some extends Node {
  readonly symbols: readonly Term[]
}
export interface Every extends Node {
  readonly key: Term | null
  readonly value: Term
  readonly domain: Term
  readonly body: readonly Expr[]
}
export interface Head extends Node {
  readonly ref: readonly Term[]
  readonly args?: readonly Term[]
  readonly key?: Term
  readonly value?: Term
  readonly assign?: boolean
}
export interface RuleNode extends Node {
  readonly head: Head
  readonly body: readonly Expr[]
  readonly default?: boolean
  readonly else?: RuleNode
  readonly annotations?: readonly Annotation[]
}
export interface Annotation extends Node {
  readonly scope: string
  readonly title?: string
  readonly description?: string
  readonly entrypoint?: boolean
}
export interface Import extends Node {
  readonly path: Term
  readonly alias?: string
}
export interface Comment {
  /** Base64. */
  readonly Text: string
  readonly Location: Location
}
export interface Tree {
  readonly package: { readonly path: readonly Term[]; readonly location: Location }
  readonly imports?: readonly Import[]
  readonly annotations?: readonly Annotation[]
  readonly rules?: readonly RuleNode[]
  readonly comments?: readonly Comment[]
}

/** Members that hold no code. */
const ASIDE = new Set(['annotations', 'comments', 'location'])

const KEPT = new WeakMap<object, readonly object[]>()

/** Every object below a node, the node itself first, in the order of the tree. Each rule asks this of each rule of a module again. */
export function nodes(node: object): readonly object[] {
  const kept = KEPT.get(node) ?? [...below(node)]
  KEPT.set(node, kept)
  return kept
}

function* below(node: unknown): Generator<object> {
  if (Array.isArray(node)) {
    for (const item of node) yield* below(item)
  } else if (typeof node === 'object' && node !== null) {
    yield node
    for (const [name, member] of Object.entries(node)) if (!ASIDE.has(name)) yield* below(member)
  }
}

export function isTerm(node: object): node is Term {
  return 'type' in node && typeof node.type === 'string' && 'value' in node
}

export function isExpr(node: object): node is Expr {
  return 'terms' in node
}

export function isSome(terms: Expr['terms']): terms is Some {
  return 'symbols' in terms
}

export function isEvery(terms: Expr['terms']): terms is Every {
  return 'domain' in terms
}

export function isCall(terms: Expr['terms']): terms is readonly Term[] {
  return Array.isArray(terms)
}

/** The one term that an expression is. */
export function soleTerm({ terms }: Expr): Term | undefined {
  return isCall(terms) || isSome(terms) || isEvery(terms) ? undefined : terms
}

export function termsIn(node: object): Term[] {
  return nodes(node).filter(isTerm)
}

/** A name and its operands, of a call that is a term or an expression. */
export interface Call {
  readonly name: string
  readonly operands: readonly Term[]
  readonly location: Location
}

export function callsIn(node: object): Call[] {
  return nodes(node).flatMap((each) => callOf(each) ?? [])
}

export function callOf(node: object): Call | undefined {
  const parts =
    isTerm(node) && node.type === 'call' ? node.value : isExpr(node) ? node.terms : undefined
  if (!Array.isArray(parts)) return undefined
  const [operator, ...operands] = parts as readonly Term[]
  const location = (node as Node).location
  if (operator === undefined || location === undefined) return undefined
  return { name: refName(operator) ?? '', operands, location }
}

/** `data.a.b` of a reference, or of a variable, whose parts are all constant; undefined for others. */
export function refName(term: Term): string | undefined {
  return constantPath(term)?.join('.')
}

export function constantPath(term: Term): readonly string[] | undefined {
  if (term.type === 'var') return [term.value as string]
  if (term.type !== 'ref') return undefined
  const [head, ...rest] = term.value as readonly Term[]
  if (head?.type !== 'var' || rest.some(({ type }) => type !== 'string')) return undefined
  return [head.value as string, ...rest.map(({ value }) => value as string)]
}

/** How far a reference goes before its first part that is not constant. */
export function constantPrefix(term: Term): readonly string[] {
  if (term.type === 'var') return [term.value as string]
  if (term.type !== 'ref') return []
  const parts = term.value as readonly Term[]
  const end = parts.findIndex(({ type }, at) => type !== (at === 0 ? 'var' : 'string'))
  return (end < 0 ? parts : parts.slice(0, end)).map(({ value }) => value as string)
}

/** The name that `_` has in the tree. */
export function isWildcard(name: string): boolean {
  return name.startsWith('$')
}

export function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

export function sourceOf({ location }: Node): string {
  return location?.text === undefined ? '' : textOf(location.text)
}

/** The last part of a rule's name that is constant: `deny` of `deny contains x`, `p` of `o.p[q]`. */
export function ruleName({ head }: RuleNode): string {
  return constantPrefix({ type: 'ref', value: head.ref }).join('.')
}

/** A rule and its `else` rules. */
export function chainOf(rule: RuleNode): readonly RuleNode[] {
  return rule.else === undefined ? [rule] : [rule, ...chainOf(rule.else)]
}

const SCALARS = new Set(['boolean', 'null', 'number', 'string'])

export function isScalar({ type }: Term): boolean {
  return SCALARS.has(type)
}
