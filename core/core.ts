/** What every step of a decision works with. */
import type { Committer } from './commit.ts'
import type { Deadlines } from './deadline.ts'
import type { Idempotency } from './idempotency.ts'
import type { Merger } from './merge.ts'
import type { Watching } from './observe.ts'
import type { Clock, UnixSeconds } from './ports/clock.ts'
import type { Custody } from './ports/custody.ts'
import type { Policy } from './ports/engine.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Store } from './ports/store.ts'
import type { RecordCache } from './reads.ts'
import type { Registry } from './registry.ts'
import type { Shadow } from './shadow/shadow.ts'

export interface Limits {
  /** Decisions under way; over it there is no decision (`overloaded`). */
  readonly maxInFlight: number
  /** Decisions in one group commit, where the store orders at commit; elsewhere each is a write of its own. */
  readonly maxGroup: number
  /** For facts and policy, where the caller names none. */
  readonly timeoutMs: number
  /** A commit later than this after the decision's `now` is refused and the decision made again. */
  readonly maxDecisionAgeMs: number
  /** How far the clock may be behind the newest leaf. */
  readonly clockToleranceMs: number
  /** Attempts on conflict before the decision is a denial (`contended`). */
  readonly maxAttempts: number
  /** For one signature of a head. */
  readonly sealTimeoutMs: number
  /**
   * Where the store does not order at commit: between two rounds in which waiting leaves get their places. 0: rounds are only made while
   * somebody waits for one and when `Kernel.integrate` is called.
   */
  readonly mergeMs: number
  /** Leaves that wait for longer make the kernel unready (`merge_overdue`). */
  readonly maxMergeDelayMs: number
  /** Window of counted refusals and dry runs, and of the idempotency sweep. */
  readonly windowMs: number
  /** Without a commit for so long, a small record is written to see whether the store still can. */
  readonly probeMs: number
  /** Candidates that one search, or one page of it, may look at; over it there is no answer (`search_budget`). */
  readonly searchBudget: number
  /** Searches under way; over it there is no answer (`overloaded`). */
  readonly maxSearches: number
}

export const DEFAULT_LIMITS: Limits = {
  maxInFlight: 1024,
  maxGroup: 256,
  timeoutMs: 5000,
  maxDecisionAgeMs: 2000,
  clockToleranceMs: 2000,
  maxAttempts: 8,
  sealTimeoutMs: 5000,
  mergeMs: 200,
  maxMergeDelayMs: 60_000,
  windowMs: 10_000,
  probeMs: 5000,
  searchBudget: 10_000,
  maxSearches: 4,
}

export interface Core {
  readonly store: Store
  readonly log: LogStore
  readonly custody: Custody
  readonly clock: Clock
  readonly registry: Registry
  readonly cache: RecordCache
  readonly committer: Committer
  /** Where the store does not order at commit. */
  readonly merger: Merger | undefined
  readonly idempotency: Idempotency
  readonly deadlines: Deadlines
  readonly limits: Limits
  readonly watching: Watching | undefined
  readonly shadow: Shadow
  readonly development: boolean
  /** The one plugin that reads decisions and erases their openings. */
  readonly auditor: string | undefined
  readonly outboundKinds: ReadonlySet<string>
  /** The active one: a swap takes effect with the next attempt. */
  policy(): Policy | undefined
  /** When its source last confirmed it, where policies have a source that can. */
  policyConfirmed(): UnixSeconds | undefined
}
