/** Which of the reasons that a policy can give some test has made it give. */
import type { FileCoverage } from '../../core/ports/compiler.ts'

/** A reason as it stands in the text of a policy. */
export interface Known {
  readonly code: string
  /** The rule that it names, where that is constant. */
  readonly rule: string | undefined
  readonly file: string
  readonly at: { readonly row: number; readonly col: number }
  /** Where the part of a rule begins that says, by being evaluated, that this reason was given. */
  readonly ruleRow: number
  /** One of several that a rule picks from: that the rule was evaluated does not say which. */
  readonly listed: boolean
}

export interface Reached {
  /** Given in the answers of tables. */
  readonly given: readonly { readonly code: string; readonly rule: string }[]
  /** Of the Rego tests. */
  readonly coverage: readonly FileCoverage[]
  /** String constants of the Rego tests. */
  readonly named: ReadonlySet<string>
}

/** Those that nothing reaches, by file and row. */
export function unreached<T extends Known>(all: readonly T[], reached: Reached): readonly T[] {
  const given = new Set(reached.given.map(({ code, rule }) => `${code}\n${rule}`))
  const codes = new Set(reached.given.map(({ code }) => code))
  const files = new Map(reached.coverage.map((each) => [each.file, each]))
  return all.filter((one) => {
    const { code, file, listed, rule } = one
    if (rule === undefined ? codes.has(code) : given.has(`${code}\n${rule}`)) return false
    const covered = files.get(file)
    if (covered === undefined || (listed && !reached.named.has(code))) return true
    return covered.notCovered.some(({ from, to }) => from <= one.ruleRow && one.ruleRow <= to)
  })
}
