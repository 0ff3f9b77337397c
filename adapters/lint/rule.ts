import type { Location } from './ast.ts'
import type { Module, Program } from './program.ts'

/** Where a rule of lint found something. */
export interface Spot {
  readonly at: Location | undefined
  readonly message: string
}

/** Sources by path; or the text of one module in `policies/sample.rego`. */
export type Example = Readonly<Record<string, string>> | string

export interface LintRule {
  /** `category/name`; the name is Regal's wherever Regal has such a rule. */
  readonly id: string
  /** What goes wrong when nobody minds. */
  readonly why: string
  /** What to do about it. */
  readonly next: string
  /** The first is found, the second is not. */
  readonly bad: Example
  readonly good: Example
  check(module: Module, program: Program): Iterable<Spot>
}
