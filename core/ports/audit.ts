import type { DecideOptions, Decision, Submission } from '../kernel.ts'
import type { LeafReason } from '../log/leaves.ts'
import type { Receipt } from '../log/receipt.ts'

/**
 * The only way to the openings of other people's decisions. Each method first asks the policy, as a decision of its own that is in the log
 * before anything is opened, and then opens what that decision granted and no more.
 */
export interface Audit {
  /**
   * Decisions that fit, in the order of the log, up to the query's own leaf. `submission` is one of `audit.query` without its action.
   * @throws NoDecision
   */
  query(submission: Omit<Submission, 'action'>, options?: DecideOptions): Promise<AuditPage>
  /**
   * One decision's receipt, with the openings that the asking peer may see; undefined when there is none of this id.
   * @throws NoDecision
   */
  receipt(
    id: string,
    peer: Submission['peer'],
    options?: DecideOptions,
  ): Promise<AuditedReceipt | undefined>
  /**
   * What was decided, for a caller who was told `committed_unsealed` or `unknown_outcome`: from the leaf, which is public or about to be, so
   * that nobody has to be asked. Undefined: nothing of this id was committed.
   */
  outcome(id: string): Promise<CommittedOutcome | undefined>
}

export interface CommittedOutcome {
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly LeafReason[]
  /** Of its leaf, decimal. */
  readonly index: string
  readonly seal: 'committed_unsealed' | 'sealed'
}

export interface AuditPage {
  /** Whether the peer may ask, and why (not). */
  readonly decision: Decision
  /** Leaves under the head that the receipts are proved from, decimal. */
  readonly size: string
  readonly records: readonly AuditedRecord[]
  /** Members for the next query: a page may be short, and there may be more all the same. Absent after the last one. */
  readonly next?: { readonly from: string; readonly to: string }
}

export interface AuditedRecord {
  readonly id: string
  /** Of its leaf, decimal. */
  readonly index: string
  /** Nothing of it can be opened by anybody any more. */
  readonly erased: boolean
  /** Fields that were asked for, are there, and are not for this peer. */
  readonly withheld: readonly string[]
  /** Verifiable on its own: openings are cut to the scope, each with its salt. */
  readonly receipt: Receipt
}

export interface AuditedReceipt {
  readonly decision: Decision
  readonly record: AuditedRecord
}
