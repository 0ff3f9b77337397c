/** All modules that are linted together, with what several rules ask about them. */
import type { Json } from '../../core/json.ts'
import { type Expr, isExpr, nodes, type RuleNode, ruleName, type Term, type Tree } from './ast.ts'

export interface Module {
  /** Relative to the folder, with `/`. */
  readonly path: string
  readonly tree: Tree
  /** Without `data`: `['assay', 'access', 'abac']`. */
  readonly package: readonly string[]
  /** Its tests are never served. */
  readonly test: boolean
  readonly rules: readonly RuleNode[]
}

export interface Program {
  readonly modules: readonly Module[]
  /** Rules by package (`assay.access`), then by name, tests too. */
  readonly packages: ReadonlyMap<string, ReadonlyMap<string, readonly RuleNode[]>>
  /** The documents that lie beside the modules. */
  readonly data: Json
}

export function programOf(trees: Readonly<Record<string, Tree>>, data: Json): Program {
  const modules = Object.keys(trees)
    .sort()
    .map((path) => moduleOf(path, trees[path]!))
  const packages = new Map<string, Map<string, RuleNode[]>>()
  for (const module of modules) {
    const name = module.package.join('.')
    const rules = packages.get(name) ?? new Map<string, RuleNode[]>()
    packages.set(name, rules)
    for (const rule of module.rules)
      rules.set(ruleName(rule), [...(rules.get(ruleName(rule)) ?? []), rule])
  }
  return { modules, packages, data }
}

function moduleOf(path: string, tree: Tree): Module {
  const names = tree.package.path.slice(1).map(({ value }) => value as string)
  const test = path.endsWith('_test.rego')
  return { path, tree, package: names, test, rules: tree.rules ?? [] }
}

/** Bodies of a rule: its own, those of its `else`, of comprehensions and of `every`. */
export function bodiesOf(rule: RuleNode): readonly (readonly Expr[])[] {
  return nodes(rule).flatMap((node) => ('body' in node ? [node.body as Expr[]] : []))
}

export function exprsOf(rule: RuleNode): readonly Expr[] {
  return nodes(rule).filter(isExpr)
}

/** The rules that a reference of a module leads to, its imports resolved; none where it leads to data, input or a variable. */
export function rulesAt(
  path: readonly string[],
  module: Module,
  program: Program,
): readonly RuleNode[] {
  const full = resolved(path, module)
  for (let at = full.length - 1; at > 0; at--) {
    const rules = program.packages.get(full.slice(0, at).join('.'))?.get(full[at]!)
    // Only the whole path: a part of what a rule gives is another matter.
    if (rules !== undefined) return at === full.length - 1 ? rules : []
  }
  return []
}

/** Without `data`. A name that no import has is a rule of the package. */
export function resolved(path: readonly string[], module: Module): readonly string[] {
  const [first = '', ...rest] = path
  if (first === 'data') return rest
  for (const { alias, path: imported } of module.tree.imports ?? []) {
    const parts = (imported.value as readonly Term[]).map(({ value }) => value as string)
    if (parts[0] === 'data' && (alias ?? parts.at(-1)) === first)
      return [...parts.slice(1), ...rest]
  }
  return [...module.package, ...path]
}

/** What a data document has at a path; undefined where there is none. */
export function documentAt(path: readonly string[], data: Json): Json | undefined {
  let at: Json | undefined = data
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined
    at = Object.hasOwn(at, name) ? (at as { readonly [name: string]: Json })[name] : undefined
  }
  return at
}
