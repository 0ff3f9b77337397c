/** What an explanation says: why a policy came to its answer, by rule, condition and value. Plain JSON. */
import type { Json } from '../../../../core/json.ts'

/** A place in the sources, 1-based. */
export interface At {
  readonly file: string
  readonly row: number
  readonly col: number
}

/** One definition of a rule or a function: a head with its body, or one branch of an `else`. */
export interface RuleText extends At {
  /** Where its value lies, such as `data.assay.access.grant`. */
  readonly rule: string
  /** The Rego text of the head. */
  readonly head: string
  /** From `# METADATA`: the innermost scope that says it. Labels of all scopes that apply are merged, as OPA does. */
  readonly title?: string
  readonly description?: string
  readonly labels?: Readonly<Record<string, Json>>
  readonly custom?: Readonly<Record<string, Json>>
}

/** What the policy saw in one place. */
export interface Saw {
  /** `input.user.role`, `data.docs[2].id`, or the Rego text of what was computed. */
  readonly ref: string
  /** Absent where there is nothing (`missing`), or where it may not be shown (`hidden`). */
  readonly value?: Json
  readonly missing?: true
  readonly hidden?: true
  /** The value was too large: it is a text then, and ends with an ellipsis. */
  readonly cut?: true
}

/** A condition that was evaluated. */
export interface Evaluated extends At {
  readonly text: string
  readonly saw: readonly Saw[]
}

/** A condition of a definition that held. */
export interface Met extends Evaluated {
  /** The rules that it asked. */
  readonly because: readonly Fired[]
  /** Of a negation: why the rules that it asked did not hold. */
  readonly missed: readonly Missed[]
}

/**
 * Why a condition ended its body. `false`: it was evaluated, and did not hold. `undefined`: something in it has no value. `empty`: there was
 * nothing to go through. `holds`: it stands behind a `not`.
 */
export type FailureKind = 'empty' | 'false' | 'holds' | 'undefined'

export interface Failing extends Evaluated {
  readonly why: FailureKind
  /** What failed inside of it: in the body of an `every`, of a comprehension, of a negation. */
  readonly inner?: Failing
  /** Rules that it asked and that had no value, were false or empty. */
  readonly missed: readonly Missed[]
  /** Rules that it asked and whose value was not what it needed. */
  readonly fired: readonly Fired[]
}

/** A definition that could have allowed, or have given the value that was missing, and the condition that ended its furthest attempt. */
export interface Missed extends RuleText {
  /** How many bindings were tried. */
  readonly attempts: number
  /** Conditions of its body that held in the furthest one. */
  readonly held: number
  /** Absent where it was not tried, since a branch before it held. */
  readonly condition?: Failing
}

export interface Fired extends RuleText {
  readonly value: Omit<Saw, 'missing' | 'ref'>
  readonly conditions: readonly Met[]
  /** The rules that its value is made of. */
  readonly because: readonly Fired[]
  /** It stands in this tree a second time: its reasons are told at the first. */
  readonly again?: true
}

/** The one condition to look at first. `held`: it made a rule hold that refuses. */
export interface Nearest extends Evaluated {
  readonly rule: string
  readonly why: FailureKind | 'held'
}

export interface Explanation {
  readonly type: 'assay.explanation/v1'
  readonly entrypoint: string
  /** Digest and data revision of the policy, as in the decision's leaf. */
  readonly policy: string
  readonly revision: string
  /** `undefined`: the entry point has no value, which is a denial. `value`: it says neither yes nor no. */
  readonly outcome: 'allowed' | 'denied' | 'undefined' | 'value'
  readonly value?: Json
  /** Unless it is allowed. */
  readonly nearest?: Nearest
  /** The rules that made the answer, from the entry point on. */
  readonly fired: readonly Fired[]
  /** Unless it is allowed: what could have allowed, nearest first. */
  readonly missed: readonly Missed[]
  /** Values that were hidden, because a mask covers them. */
  readonly hidden: number
  /** There is more than an explanation holds. */
  readonly truncated: boolean
}
