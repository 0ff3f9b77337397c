/** Rules of lint over the syntax trees of a folder of policies. */
import type { Json } from '../../core/json.ts'
import type { Problem } from '../../core/ports/compiler.ts'
import { ruleName, type Tree, termsIn } from './ast.ts'
import { type Ignore, ignores, ignoresIn } from './ignore.ts'
import { type Module, type Program, programOf } from './program.ts'
import { type ReasonLiteral, reasonsOf } from './reasons.ts'
import type { LintRule } from './rule.ts'
import { BUGS } from './rules/bugs.ts'
import { LOOPS } from './rules/loops.ts'
import { NAMING } from './rules/names.ts'
import { VERDICTS } from './rules/verdicts.ts'

/** Every rule, by id. */
export const RULES: readonly LintRule[] = [...BUGS, ...LOOPS, ...NAMING, ...VERDICTS].sort(
  (a, b) => (a.id < b.id ? -1 : 1),
)

/** `code` is the rule's id. */
export interface LintProblem extends Problem {
  readonly next: string
}

/**
 * What the rules find, by file, row and column.
 *
 * @param syntax what `OpaCompiler.syntax` gives
 * @param data the documents beside the modules, as one tree
 */
export function lint(syntax: Readonly<Record<string, Json>>, data: Json): readonly LintProblem[] {
  const program = programOf(syntax as unknown as Readonly<Record<string, Tree>>, data)
  return program.modules.flatMap((module) => lintModule(module, program)).sort(byPlace)
}

/** The reasons that the policies can give; those in tests are left out. */
export function reasonLiterals(syntax: Readonly<Record<string, Json>>): readonly ReasonLiteral[] {
  const { modules } = programOf(syntax as unknown as Readonly<Record<string, Tree>>, {})
  return modules.filter(({ test }) => !test).flatMap(reasonsOf)
}

/** `assay/main/deny` for each rule and function that is served. */
export function ruleNames(syntax: Readonly<Record<string, Json>>): ReadonlySet<string> {
  const { modules } = programOf(syntax as unknown as Readonly<Record<string, Tree>>, {})
  const served = modules.filter(({ test }) => !test)
  return new Set(
    served.flatMap((module) =>
      module.rules.map((rule) => [...module.package, ...ruleName(rule).split('.')].join('/')),
    ),
  )
}

/** String constants of the tests: the codes that they name are among them. */
export function stringsInTests(syntax: Readonly<Record<string, Json>>): ReadonlySet<string> {
  const { modules } = programOf(syntax as unknown as Readonly<Record<string, Tree>>, {})
  const rules = modules.filter(({ test }) => test).flatMap((module) => module.rules)
  const strings = rules.flatMap(termsIn).filter(({ type }) => type === 'string')
  return new Set(strings.map(({ value }) => value as string))
}

function lintModule(module: Module, program: Program): readonly LintProblem[] {
  const directives = ignoresIn(module.tree.comments ?? [])
  const used = new Set<Ignore>()
  const found = RULES.flatMap((rule) => problemsOf(rule, module, program)).filter(
    ({ code, row }) => {
      const matching = directives.filter((each) => ignores(each, code, row ?? 0))
      for (const each of matching) used.add(each)
      return matching.length === 0
    },
  )
  const stale = directives.filter((each) => each.ours && !used.has(each))
  return [...found, ...stale.map((each) => staleIgnore(each, module))]
}

function problemsOf(rule: LintRule, module: Module, program: Program): readonly LintProblem[] {
  const { id: code, next } = rule
  return [...rule.check(module, program)].map(({ at, message }) => ({
    code,
    message,
    next,
    file: module.path,
    row: at?.row ?? 1,
    col: at?.col ?? 1,
  }))
}

function staleIgnore({ col, row, rules }: Ignore, { path: file }: Module): LintProblem {
  const message = `nothing to ignore here: ${rules.join(', ')}`
  return { code: 'assay/stale-ignore', message, next: 'take the comment away', file, row, col }
}

function byPlace(a: LintProblem, b: LintProblem): number {
  const place = ({
    code,
    col = 0,
    file = '',
    row = 0,
  }: LintProblem): readonly (number | string)[] => [file, row, col, code]
  const [left, right] = [place(a), place(b)]
  const at = left.findIndex((part, i) => part !== right[i])
  return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1
}
