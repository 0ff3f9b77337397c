/** The definitions and conditions of the sources, found by the places that a plan's statements name. */
import type { Json } from '../../../../core/json.ts'
import { type Notes, notesOf, type PackageNotes, packageNotes } from './annotations.ts'
import { covers, isNode, type Node, nodesOf, refText, type Span, spanOf } from './tree.ts'

/** One expression of a body. */
export interface Condition {
  readonly file: string
  readonly span: Span
  readonly negated: boolean
  readonly terms: Json
  /** In the bodies of comprehensions, of `every` and of negations within it. */
  readonly inner: readonly Condition[]
}

/** A head with its body, or one branch of an `else`. */
export interface Definition {
  readonly file: string
  readonly rule: string
  readonly head: Span
  /** All of it, the branches after it included. */
  readonly span: Span
  readonly notes: Notes
  readonly isDefault: boolean
  /** Its value may mean yes: it is computed, or is true, or has a member `allow` that is. */
  readonly mayAllow: boolean
  readonly params: readonly string[]
  readonly conditions: readonly Condition[]
}

/** Where a statement belongs. `conditions`: from that of the body inwards; none for the head. */
export interface Location {
  readonly definition: Definition
  readonly conditions: readonly Condition[]
}

export class Definitions {
  readonly #byFile = new Map<string, readonly Definition[]>()

  /** @param syntax OPA's tree of each module, by path. */
  constructor(syntax: Readonly<Record<string, Json>>) {
    const modules = Object.entries(syntax).filter(([, module]) => isNode(module))
    const packages = modules.map(([, module]) => {
      const { annotations } = module as Node
      return packageNotes(packageOf(module as Node), annotations)
    })
    for (const [file, module] of modules)
      this.#byFile.set(file, definitionsIn(file, module as Node, packages))
  }

  /** Undefined where no rule is. */
  at(file: string, row: number, col: number): Location | undefined {
    const covering = this.#byFile.get(file)?.filter(({ span }) => covers(span, row, col)) ?? []
    const definition = covering.findLast(
      ({ span }) => !covering.some((other) => other.span !== span && starts(other.span, span)),
    )
    if (definition === undefined) return undefined
    return { definition, conditions: pathTo(definition.conditions, row, col) }
  }
}

/** Whether `a` begins behind where `b` does. */
function starts(a: Span, b: Span): boolean {
  return a.row > b.row || (a.row === b.row && a.col > b.col)
}

function pathTo(conditions: readonly Condition[], row: number, col: number): readonly Condition[] {
  const found = conditions.find(({ span }) => covers(span, row, col))
  return found === undefined ? [] : [found, ...pathTo(found.inner, row, col)]
}

function packageOf(module: Node): string {
  const { path } = isNode(module.package) ? module.package : { path: [] }
  const [head, ...keys] = nodesOf(path).map((part) => part.value ?? null)
  return refText(String(head), keys)
}

function definitionsIn(
  file: string,
  module: Node,
  packages: readonly PackageNotes[],
): readonly Definition[] {
  const path = packageOf(module)
  const found: Definition[] = []
  for (const rule of nodesOf(module.rules)) {
    const notes = notesOf(path, rule.annotations, packages)
    for (let branch: Json | undefined = rule; isNode(branch); branch = branch.else)
      found.push(definitionOf(file, path, branch, rule, notes))
  }
  return found
}

function definitionOf(
  file: string,
  path: string,
  branch: Node,
  rule: Node,
  notes: Notes,
): Definition {
  const head = isNode(branch.head) ? branch.head : {}
  const first = isNode(rule.head) ? rule.head : {}
  const isDefault = branch.default === true
  const name = nodesOf(first.ref).map((part, i) =>
    i === 0 || part.type === 'string' ? (part.value ?? null) : ANY,
  )
  return {
    file,
    rule: refText(path, name),
    head: spanOf(head),
    span: isDefault ? spanOf(head) : spanOf(branch),
    notes: { ...notes, ...own(branch, rule) },
    isDefault,
    mayAllow: isDefault ? false : mayAllow(head),
    params: nodesOf(first.args).map((arg) => spanOf(arg).text),
    conditions: isDefault ? [] : conditionsIn(file, branch.body),
  }
}
const ANY = Symbol('any')

/** A branch of an `else` has annotations of its own in later versions of OPA; those of the rule hold for all branches. */
function own(branch: Node, rule: Node): Partial<Notes> {
  return branch === rule ? {} : notesOf('', branch.annotations, [])
}

function mayAllow(head: Node): boolean {
  const { value } = head
  if (!isNode(value)) return true
  const given = value.value
  switch (value.type) {
    case 'boolean':
      return given === true
    case 'null':
    case 'number':
      return false
    case 'string':
      return /^(?:allow|permit|grant)/i.test(String(given))
    case 'object':
      return members(given).allow !== false
    default:
      return true
  }
}

/** What an object in the text says of `allow`; undefined where it does not, or computes it. */
function members(pairs: Json | undefined): { readonly allow?: Json | undefined } {
  if (!Array.isArray(pairs)) return {}
  for (const pair of pairs) {
    const [key, value] = nodesOf(pair)
    if (key?.value === 'allow') return { allow: value?.value }
  }
  return {}
}

function conditionsIn(file: string, body: Json | undefined): readonly Condition[] {
  return nodesOf(body)
    .filter((each) => each.generated !== true)
    .map((each) => conditionOf(file, each))
}

function conditionOf(file: string, expression: Node): Condition {
  const terms = expression.terms ?? null
  return {
    file,
    span: spanOf(expression),
    negated: expression.negated === true,
    terms,
    inner: [...nested(file, terms), ...nested(file, expression.with)],
  }
}

/** Expressions anywhere within: what has terms is one. */
function nested(file: string, json: Json | undefined): readonly Condition[] {
  if (Array.isArray(json)) return json.flatMap((each) => nested(file, each))
  if (!isNode(json)) return []
  if (json.terms !== undefined && json.location !== undefined) return [conditionOf(file, json)]
  return Object.values(json).flatMap((each) => nested(file, each))
}
