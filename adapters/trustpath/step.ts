/** What a trust path is made of: one thing after the other that had to hold, and the rule that accepted it where a rule did. */

/** Where a rule stands in the policy that decided. `line` is 1-based. */
export interface RulePlace {
  readonly file: string
  readonly line: number
}

/** A reason of a decision, and the lines that gave it. */
export interface AcceptedBy {
  readonly code: string
  readonly rule: string
  /** Empty where the kernel itself gave the reason: its reasons stand in `docs/reasons.md`. */
  readonly places: readonly RulePlace[]
  /** The policy was run again, and these are the lines that held; else they are all that could have. */
  readonly exact: boolean
}

export interface Step {
  /** Stable: `anchor`, `checkpoint`, `inclusion`, `policy`, `rule`, `issuer`, `grant`, `block/1`, ... */
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  /** The decision that this step is about, and its leaf's index. */
  readonly decision?: string
  readonly index?: string
  readonly accepted?: readonly AcceptedBy[]
}

/** Steps from the pinned root on; none of it is to be believed unless every one is `ok`. */
export interface TrustPath {
  readonly ok: boolean
  readonly steps: readonly Step[]
}

export function pathOf(steps: readonly Step[]): TrustPath {
  return { ok: steps.every(({ ok }) => ok), steps }
}
