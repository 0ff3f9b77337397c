/** What differs between two folders of policies, read from their syntax trees: layout and comments do not count. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import { chainOf, type RuleNode, ruleName, type Tree } from './ast.ts'
import { type Module, type Program, programOf } from './program.ts'
import { reasonsOf } from './reasons.ts'

export interface Changed {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}
/** Names in their order. */
export interface Changes {
  /** `assay.access.abac.deny`; tests are left out. */
  readonly rules: Changed
  /** `not_owner (assay.access.abac.deny)` */
  readonly reasons: Changed
  /** `assay/access/decision` */
  readonly entrypoints: Changed
  /** `freeze.actions`: the deepest members that differ. */
  readonly data: Changed
}
export interface Side {
  /** What `Compiler.syntax` gives. */
  readonly syntax: Readonly<Record<string, Json>>
  readonly data: Json
}

export function changes(before: Side, after: Side): Changes {
  const [a, b] = [before, after].map(({ data, syntax }) =>
    programOf(syntax as unknown as Readonly<Record<string, Tree>>, data),
  ) as [Program, Program]
  const between = (read: (program: Program) => ReadonlyMap<string, string>): Changed =>
    compared(read(a), read(b))
  return {
    rules: between(rulesOf),
    reasons: between(reasonNames),
    entrypoints: between(entrypointsOf),
    data: between(({ data }) => new Map(leavesOf(data, []))),
  }
}

function compared(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): Changed {
  const [before, after] = [[...a.keys()], [...b.keys()]]
  return {
    added: after.filter((name) => !a.has(name)).sort(),
    removed: before.filter((name) => !b.has(name)).sort(),
    changed: before.filter((name) => b.has(name) && a.get(name) !== b.get(name)).sort(),
  }
}

function served({ modules }: Program): readonly Module[] {
  return modules.filter(({ test }) => !test)
}

/** All rules of one name, as text without places. */
function rulesOf(program: Program): ReadonlyMap<string, string> {
  const rules = new Map<string, string[]>()
  for (const module of served(program))
    for (const rule of module.rules) {
      const name = `${module.package.join('.')}.${ruleName(rule)}`
      const text = JSON.stringify(rule, withoutPlaces)
      rules.set(name, [...(rules.get(name) ?? []), text])
    }
  return new Map([...rules].map(([name, texts]) => [name, texts.sort().join('\n')]))
}

const PLACES = new Set(['annotations', 'location'])

function withoutPlaces(name: string, value: unknown): unknown {
  return PLACES.has(name) ? undefined : value
}

function reasonNames(program: Program): ReadonlyMap<string, string> {
  const all = served(program).flatMap(reasonsOf)
  return new Map(
    all.map(({ code, message = '', rule, within }) => [`${code} (${rule ?? within})`, message]),
  )
}

function entrypointsOf(program: Program): ReadonlyMap<string, string> {
  const names = served(program).flatMap((module) =>
    module.rules
      .filter((rule) => isEntrypoint(rule, module))
      .map((rule) => {
        const path = [...module.package, ruleName(rule)].join('/')
        return [path, ''] as const
      }),
  )
  return new Map(names)
}

function isEntrypoint(rule: RuleNode, { package: names }: Module): boolean {
  const annotated = chainOf(rule).some(({ annotations = [] }) =>
    annotations.some(({ entrypoint }) => entrypoint === true),
  )
  return annotated || (names.length === 2 && names[0] === 'assay' && ruleName(rule) === 'decision')
}

/** Each member that is no object, with its path. */
function leavesOf(value: Json, path: readonly string[]): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path.join('.'), canonicalJson(value)]]
  const members = Object.entries(value)
  if (members.length === 0) return path.length === 0 ? [] : [[path.join('.'), '{}']]
  return members.flatMap(([name, member]) => leavesOf(member, [...path, name]))
}
