/** What this engine wants of a policy that decides: denied by default, reasons that lead to their rule, an entry point. */
import { constantPrefix, isScalar, type RuleNode, ruleName, type Term, termsIn } from '../ast.ts'
import { type Module, type Program, rulesAt } from '../program.ts'
import { reasonsOf } from '../reasons.ts'
import type { LintRule, Spot } from '../rule.ts'
import { isOwn } from './names.ts'

const reasonCode: LintRule = {
  id: 'assay/reason-code',
  why: 'Clients switch on codes, and logs and metrics are grouped by them.',
  next: 'write it in lower case, with _ between words, at most 64 characters',
  bad: 'package assay.sample\n\ndeny contains {"code": "Not-Owner", "message": "m", "rule": "assay.sample.deny"} if input.x\n',
  good: 'package assay.sample\n\ndeny contains {"code": "not_owner", "message": "m", "rule": "assay.sample.deny"} if input.x\n',
  *check(module) {
    for (const { code, codeAt } of module.test ? [] : reasonsOf(module))
      if (!/^[a-z][a-z0-9_]{0,63}$/.test(code))
        yield { at: codeAt, message: `the code ${JSON.stringify(code)} is not in lower snake case` }
  },
}

const reasonRule: LintRule = {
  id: 'assay/reason-rule',
  why: 'A reason that names another rule sends whoever asks why to the wrong place.',
  next: 'name the rule that the reason stands in, or one that gives what that rule says, with its package',
  bad: 'package assay.sample\n\ndeny contains {"code": "not_owner", "message": "m", "rule": "assay.sample.grant"} if input.x\n',
  good: 'package assay.sample\n\ndeny contains {"code": "not_owner", "message": "m", "rule": "assay.sample.deny"} if input.x\n',
  *check(module, program) {
    if (module.test || !isOwn(program)) return
    for (const { rule, ruleAt, within } of reasonsOf(module))
      if (rule !== undefined && !leadsTo(rule, within, module, program))
        yield { at: ruleAt, message: `the reason says ${rule} and stands in ${within}` }
  },
}

/** Whether one rule of a module is another, or is made of it through rules of the module. */
function leadsTo(from: string, to: string, module: Module, program: Program): boolean {
  const within = `${module.package.join('.')}.`
  const seen = new Set([from])
  for (const name of seen) {
    if (name === to) return true
    if (!name.startsWith(within)) continue
    for (const rule of rulesAt([name.slice(within.length)], module, program))
      for (const term of termsIn(rule)) {
        const [first] = constantPrefix(term)
        if (first !== undefined) seen.add(within + first)
      }
  }
  return false
}

const reasonUndocumented: LintRule = {
  id: 'assay/reason-undocumented',
  why: 'The message is what people read first, and often the only thing.',
  next: 'say in a message what is wrong, for somebody who does not know the rules',
  bad: 'package assay.sample\n\ndeny contains {"code": "not_owner", "message": "", "rule": "assay.sample.deny"} if input.x\n',
  good: 'package assay.sample\n\ndeny contains {"code": "not_owner", "message": "it belongs to somebody else", "rule": "assay.sample.deny"} if input.x\n',
  *check(module) {
    for (const { at, code, message } of module.test ? [] : reasonsOf(module))
      if (message === undefined || message.trim() === '')
        yield { at, message: `nothing says what ${code} means` }
  },
}

const defaultAllow: LintRule = {
  id: 'assay/default-allow',
  why: 'Whatever no rule foresaw is allowed then.',
  next: 'deny by default, and say in rules what is allowed',
  bad: 'package assay.sample\n\ndefault allow := true\n\nallow := false if input.x\n',
  good: 'package assay.sample\n\ndefault allow := false\n\nallow if input.x\n',
  *check({ rules, test }) {
    for (const rule of test ? [] : rules) {
      const bare = rule.body.every(({ generated }) => generated === true)
      if (bare && rule.head.args === undefined && allows(rule)) yield foundAt(rule)
    }
  },
}

function foundAt(rule: RuleNode): Spot {
  const how = rule.default === true ? 'by default' : 'without any condition'
  return { at: rule.location, message: `${ruleName(rule)} allows ${how}` }
}

function allows(rule: RuleNode): boolean {
  const { value } = rule.head
  if (value === undefined) return false
  if (ruleName(rule) === 'allow') return isScalar(value) && value.value === true
  if (ruleName(rule) !== 'decision' || value.type !== 'object') return false
  return (value.value as readonly (readonly [Term, Term])[]).some(
    ([key, member]) => key.value === 'allow' && member.value === true,
  )
}

const noEntrypoint: LintRule = {
  id: 'idiomatic/no-defined-entrypoint',
  why: 'The entry point is where a reader begins, and what the engine asks for.',
  next: 'define decision in assay.<plugin>, with "# METADATA" and "# entrypoint: true" above it',
  bad: 'package assay.sample\n\ndecision := {"allow": false}\n',
  good: 'package assay.sample\n\n# METADATA\n# entrypoint: true\ndecision := {"allow": false}\n',
  *check(module) {
    if (module.test || module.package.length !== 2 || module.package[0] !== 'assay') return
    const decisions = module.rules.filter((rule) => ruleName(rule) === 'decision')
    const [first] = decisions
    if (first !== undefined && !isAnnotated(first, module))
      yield { at: first.location, message: 'decision is asked for, and nothing says so' }
  },
}

function isAnnotated({ location }: RuleNode, { tree }: Module): boolean {
  const row = location?.row ?? 0
  return (tree.annotations ?? []).some(
    (each) => each.entrypoint === true && (each.location?.row ?? row) < row,
  )
}

export const VERDICTS: readonly LintRule[] = [
  defaultAllow,
  noEntrypoint,
  reasonCode,
  reasonRule,
  reasonUndocumented,
]
