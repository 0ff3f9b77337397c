export { type Changed, type Changes, changes, type Side } from './changes.ts'
export { type LintProblem, lint, RULES, reasonLiterals, ruleNames, stringsInTests } from './lint.ts'
export type { ReasonLiteral } from './reasons.ts'
export type { Example, LintRule } from './rule.ts'
