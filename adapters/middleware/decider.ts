/** Who can be asked: an `Assay` in this process, a `Client` of a decision point elsewhere, or anything that answers like them. */
import type { Json } from '../../core/json.ts'

type Properties = { readonly [name: string]: Json }

/** AuthZEN's information model: may this subject do this to that resource? Plain JSON data throughout. */
export interface Evaluation {
  readonly subject: { readonly type: string; readonly id: string; readonly properties?: Properties }
  readonly action: { readonly name: string; readonly properties?: Properties }
  readonly resource: {
    readonly type: string
    readonly id: string
    readonly properties?: Properties
  }
  readonly context?: Properties
}

/** What the caller has to carry out for the decision to hold. */
export interface Obligation {
  readonly id: string
  readonly type: string
  readonly properties?: Properties
}

export interface Answered {
  readonly allow: boolean
  /** By which its receipt is fetched; a foreign decision point may have none. */
  readonly id?: string
  readonly reasons: readonly { readonly code: string }[]
  readonly obligations: readonly Obligation[]
}

export interface DecideOptions {
  /** Obligation types that this service carries out. */
  readonly obligations?: readonly string[]
}

export interface Decider {
  /** @throws NoDecision; whatever it throws is no decision, which is a deny */
  decide(evaluation: Evaluation, options?: DecideOptions): Promise<Answered>
}
