/** Names, imports and places. */
import {
  callsIn,
  type RuleNode,
  refName,
  ruleName,
  sourceOf,
  type Term,
  termsIn,
  textOf,
} from '../ast.ts'
import { NAMES } from '../builtins.ts'
import { documentAt, exprsOf, type Program } from '../program.ts'
import type { LintRule } from '../rule.ts'
import { declaredIn } from '../variables.ts'

const ruleShadowsBuiltin: LintRule = {
  id: 'bugs/rule-shadows-builtin',
  why: 'A rule with the name of a built-in takes its place in the whole package.',
  next: 'give the rule another name',
  bad: 'package assay.sample\n\nstartswith(a, b) if a == b\n',
  good: 'package assay.sample\n\nbegins_with(a, b) if a == b\n',
  *check({ rules }) {
    for (const rule of rules) {
      const name = ruleName(rule).split('.')[0]!
      if (NAMES.has(name))
        yield { at: rule.head.location, message: `${name} is the name of a built-in` }
    }
  },
}

const varShadowsBuiltin: LintRule = {
  id: 'bugs/var-shadows-builtin',
  why: 'A variable with the name of a built-in makes the built-in unreachable below it.',
  next: 'give the variable another name',
  bad: 'package assay.sample\n\nallow if {\n\tcount := input.n\n\tcount > 3\n}\n',
  good: 'package assay.sample\n\nallow if {\n\tn := input.n\n\tn > 3\n}\n',
  *check({ rules }) {
    for (const { at, name } of rules.flatMap(declaredIn))
      if (NAMES.has(name)) yield { at: at.location, message: `${name} is the name of a built-in` }
  },
}

const SNAKE = /^[a-z_][a-z0-9_]*$/

const preferSnakeCase: LintRule = {
  id: 'style/prefer-snake-case',
  why: 'Names of rules appear in reasons, receipts and explanations: one spelling for all.',
  next: 'write it in lower case, with _ between words',
  bad: 'package assay.sample\n\nisAdmin if input.admin\n',
  good: 'package assay.sample\n\nis_admin if input.admin\n',
  *check(module) {
    const last = module.package.find((name) => !SNAKE.test(name))
    if (last !== undefined)
      yield { at: module.tree.package.location, message: `${last} is not in snake case` }
    for (const rule of module.rules) {
      const wrong = writtenNames(rule).find((name) => !SNAKE.test(name))
      if (wrong !== undefined)
        yield { at: rule.head.location, message: `${wrong} is not in snake case` }
      for (const { at, name } of declaredIn(rule))
        if (!name.startsWith('$') && !SNAKE.test(name))
          yield { at: at.location, message: `${name} is not in snake case` }
    }
  },
}

/** What stands in brackets is a value: `permitted["access.show-request"]`. */
function writtenNames({ head: { ref } }: RuleNode): readonly string[] {
  return ref.flatMap(({ type, value }, at) =>
    at === 0 || (type === 'string' && /^\w+$/.test(value as string)) ? [value as string] : [],
  )
}

const packageMismatch: LintRule = {
  id: 'idiomatic/directory-package-mismatch',
  why: "Who may change a folder decides what its plugin may do: a file in one folder must not add rules to another one's package.",
  next: 'name the package after the folder, assay.<folder>, or move the file',
  bad: { 'access/a.rego': 'package assay.capability\n' },
  good: {
    'access/a.rego': 'package assay.access.a\n',
    'access/b/c.rego': 'package assay.access\n',
    'access/c_test.rego': 'package assay.access_test\n',
  },
  *check({ package: names, path, tree }, program) {
    if (!isOwn(program)) return
    const folders = path.replace(/\.rego$/, '').split('/')
    // A file at the top belongs to no plugin's folder.
    if (folders.length === 1) return
    const [root, ...rest] = names.map((name) => name.replace(/_test$/, ''))
    const stems = folders.map((name) => name.replace(/_test$/, ''))
    if (root === 'assay' && rest[0] === stems[0] && isWithin(rest, stems)) return
    const message = `package ${names.join('.')} in folder ${folders.slice(0, -1).join('/')}`
    yield { at: tree.package.location, message }
  },
}

/** Each name is one of the path's, in its order. */
function isWithin(names: readonly string[], path: readonly string[]): boolean {
  let at = 0
  for (const name of names) {
    at = path.indexOf(name, at) + 1
    if (at === 0) return false
  }
  return true
}

/** Policies of this engine, rather than those that somebody brought from OPA. */
export function isOwn({ modules }: Program): boolean {
  return modules.some(({ package: names }) => names[0] === 'assay')
}

const preferPackageImports: LintRule = {
  id: 'imports/prefer-package-imports',
  why: 'An imported rule looks like one of the package itself.',
  next: 'import its package, and write package.rule',
  bad: {
    'a/a.rego': 'package assay.a\n\nx := 1\n',
    'b/b.rego': 'package assay.b\n\nimport data.assay.a.x\n\ny := x\n',
  },
  good: {
    'a/a.rego': 'package assay.a\n\nx := 1\n',
    'b/b.rego': 'package assay.b\n\nimport data.assay.a\n\ny := a.x\n',
  },
  *check({ tree }, { packages }) {
    for (const { location, path } of tree.imports ?? []) {
      const parts = refName(path)?.split('.').slice(1) ?? []
      const inPackage = packages.get(parts.slice(0, -1).join('.'))
      if (inPackage?.has(parts.at(-1)!))
        yield { at: location, message: `${parts.at(-1)} is a rule, not a package` }
    }
  },
}

const unresolvedImport: LintRule = {
  id: 'imports/unresolved-import',
  why: 'A path that nothing provides is undefined without a word, and conditions on it never hold.',
  next: 'correct the path, or add the package or the data that it names',
  bad: 'package assay.sample\n\nimport data.assay.sampel.x\n\nallow if x\n',
  good: {
    'sample/a.rego': 'package assay.sample\n\nimport data.assay.other\n\nallow if other.x\n',
    'other/b.rego': 'package assay.other\n\nx := true\n',
  },
  *check({ tree }, program) {
    for (const { location, path } of tree.imports ?? []) {
      const [root, ...parts] = refName(path)?.split('.') ?? []
      if (root === 'data' && !isProvided(parts, program))
        yield {
          at: location,
          message: `neither a package nor data: ${sourceOf(path) || parts.join('.')}`,
        }
    }
  },
}

function isProvided(parts: readonly string[], { data, packages }: Program): boolean {
  if (documentAt(parts, data) !== undefined) return true
  const name = parts.join('.')
  return [...packages].some(([each, rules]) => {
    const rest = name.startsWith(`${each}.`) ? name.slice(each.length + 1) : undefined
    const rule = rest !== undefined && [...rules.keys()].some((known) => isPrefix(known, rest))
    return each === name || each.startsWith(`${name}.`) || rule
  })
}

function isPrefix(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

const fileMissingTestSuffix: LintRule = {
  id: 'testing/file-missing-test-suffix',
  why: 'Only files that end in _test.rego are left out of what is served.',
  next: 'move the test to a file whose name ends in _test.rego',
  bad: 'package assay.sample\n\ntest_nothing if true == input.x\n',
  good: {
    'sample/a_test.rego':
      'package assay.sample_test\n\ntest_nothing if input.x with input.x as 1\n',
  },
  *check({ rules, test }) {
    for (const rule of rules) {
      const name = ruleName(rule)
      if (!test && /^(todo_)?test_/.test(name))
        yield { at: rule.head.location, message: `${name} is served with the policy` }
    }
  },
}

const withOutsideTest: LintRule = {
  id: 'performance/with-outside-test-context',
  why: '`with` replaces input or data below it: outside tests it hides what a decision was made of, and everything below it is computed anew.',
  next: 'give the value to a function as its argument',
  bad: 'package assay.sample\n\nallow if data.assay.main.ok with input.x as 1\n',
  good: {
    'sample/a_test.rego': 'package assay.sample_test\n\ntest_x if data.a with data.a as 1\n',
  },
  *check({ rules, test }) {
    for (const expr of rules.flatMap(exprsOf))
      if (!test && expr.with !== undefined)
        yield { at: expr.with[0]?.location ?? expr.location, message: 'with outside of a test' }
  },
}

const printCall: LintRule = {
  id: 'testing/print-or-trace-call',
  why: 'A build takes print away: whatever depends on it is different in tests.',
  next: 'take it away when the rule is ready',
  bad: 'package assay.sample\n\nallow if {\n\tprint(input)\n\tinput.x\n}\n',
  good: 'package assay.sample\n\nallow if input.x\n',
  *check({ rules, test }) {
    for (const rule of rules)
      for (const term of test ? [] : termsIn(rule))
        if (refName(term) === 'print' && isCalled(term, rule))
          yield { at: term.location, message: 'print outside of a test' }
  },
}

function isCalled(term: Term, rule: RuleNode): boolean {
  return exprsOf(rule).some(({ terms }) => Array.isArray(terms) && terms[0] === term)
}

const nonRawRegex: LintRule = {
  id: 'idiomatic/non-raw-regex-pattern',
  why: 'In quotes every backslash of a pattern is written twice, and a forgotten one is another pattern.',
  next: 'put the pattern between backquotes',
  bad: 'package assay.sample\n\nallow if regex.match("^\\\\d+$", input.x)\n',
  good: 'package assay.sample\n\nallow if regex.match(`^\\d+$`, input.x)\n',
  *check({ rules }) {
    for (const rule of rules)
      for (const { name, operands } of callsIn(rule)) {
        const [pattern] = operands
        const text = pattern?.type === 'string' ? sourceOf(pattern) : ''
        if (name.startsWith('regex.') && text.startsWith('"') && text.includes('\\\\'))
          yield { at: pattern!.location, message: `the pattern ${text} has its backslashes twice` }
      }
  },
}

/** In capitals anywhere at the start, else with a colon: a list for things to do may be what a policy is about. */
const UNFINISHED = /^\s*((?:TO\x44O|FIX\x4dE)\b|(?:todo|fixme):)/

const todoComment: LintRule = {
  id: 'style/todo-comment',
  why: 'A rule that is not finished decides all the same.',
  next: 'do it, or write down elsewhere what is to be done',
  bad: 'package assay.sample\n\n# todo: and the admins?\nallow if input.x\n',
  good: 'package assay.sample\n\n# Admins have a rule of their own.\nallow if input.x\n',
  *check({ tree }) {
    for (const { Location, Text } of tree.comments ?? [])
      if (UNFINISHED.test(textOf(Text))) yield { at: Location, message: textOf(Text).trim() }
  },
}

export const NAMING: readonly LintRule[] = [
  fileMissingTestSuffix,
  nonRawRegex,
  packageMismatch,
  preferPackageImports,
  preferSnakeCase,
  printCall,
  ruleShadowsBuiltin,
  todoComment,
  unresolvedImport,
  varShadowsBuiltin,
  withOutsideTest,
]
