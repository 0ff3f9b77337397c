/** The kernel: what embeds, serves and closes. `createKernel` puts the parts together; `decide.ts` is what they do. */

import type { Limits } from './core.ts'
import type { Json } from './json.ts'
import type { LogReader } from './log/reader.ts'
import type { Receipt } from './log/receipt.ts'
import type { Merged } from './merge.ts'
import type { Observer } from './observe.ts'
import type { Plugin, SearchKind } from './plugin.ts'
import type { Clock, UnixSeconds } from './ports/clock.ts'
import type { Bundle, Release } from './ports/compiler.ts'
import type { Custody } from './ports/custody.ts'
import type { DataOperation, Engine, Policy } from './ports/engine.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Outbound } from './ports/outbound.ts'
import type { Store } from './ports/store.ts'
import type { Payload, Peer } from './request.ts'
import { KernelRuntime } from './runtime.ts'
import type { ShadowState } from './shadow/shadow.ts'
import type { Obligation, Reason } from './verdict.ts'

/** What the caller waits for. `durable`: survives a crash. `sealed`: included in a signed head. */
export type Seal = 'durable' | 'sealed'

export interface DecideOptions {
  /** Default `sealed` where the store orders at commit, else `durable`. */
  readonly seal?: Seal
  /** Gives up before the commit; after it the decision stands. */
  readonly signal?: AbortSignal
  /** For facts and policy, in milliseconds; over it the decision is a denial. Default 5,000; at most 60,000. */
  readonly timeoutMs?: number
}

export interface Submission {
  readonly action: string
  readonly payload: Payload
  /** Default: `{ kind: 'embedded', id: 'process' }`. */
  readonly peer?: Peer
  /** 1 to 128 characters; scoped to the peer; the same request again within five minutes gets the same decision. */
  readonly idempotencyKey?: string
  readonly obligations?: readonly string[]
}

export interface Decision {
  /** 32 lower-case hex digits: 48 bits of time, 80 random ones. */
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly Reason[]
  readonly obligations: readonly Obligation[]
  readonly output?: Json
  /** `committed_unsealed`: it is in the log, and signing the head failed; fetch the receipt by id later. */
  readonly seal: Seal | 'committed_unsealed'
  /** The leaf's place in the log, decimal; missing as long as it has none, where the store does not order at commit. */
  readonly index?: string
  /** The receipt of this decision under the newest head. @throws NoDecision `unavailable` when no head can be signed */
  receipt(): Promise<Receipt>
}

/** Non-authoritative: nothing was written but a count. */
export interface DryRun {
  readonly dryRun: true
  readonly allow: boolean
  readonly reasons: readonly Reason[]
  readonly obligations: readonly Obligation[]
  readonly output?: Json
}

/** Everything of one kind with which `action` would be allowed. */
export interface SearchSubmission extends Omit<Submission, 'idempotencyKey'> {
  readonly kind: SearchKind
}
export interface SearchOptions extends DecideOptions {
  /** Results in one page, 1 to 1,000. Default: all of them, or an error. */
  readonly limit?: number
  /** Of the page before: for the same submission, limit and policy only. */
  readonly token?: string
}
/** A page of a search, in one snapshot, logged as one leaf. */
export interface SearchResult {
  readonly id: string
  /** Entities as the plugin names them, with a member `obligations` where an allow has some. */
  readonly results: readonly Json[]
  /** For the next page; empty on the last one. */
  readonly nextToken: string
  readonly seal: Decision['seal']
  readonly index?: string
  receipt(): Promise<Receipt>
}

export interface Readiness {
  readonly ready: boolean
  /** Stable codes: `clock_behind`, `closed`, `merge_overdue`, `no_policy`, `store_failed`, `store_stalled`, `unsealed`. */
  readonly problems: readonly string[]
  /** Decisions are made, and something else does not work: `outbox_failing`. */
  readonly degraded: readonly string[]
  readonly policy: { readonly digest: string; readonly revision: string } | undefined
  readonly size: string
  /** Leaves under the newest signed head, decimal: what is missing to `size` is the backlog. */
  readonly sealed: string
  /** Dispatches under way. */
  readonly inFlight: number
  /** External actions that failed and wait for their next attempt. */
  readonly outbox: number
  readonly shadow?: ShadowState
}

export interface Kernel {
  readonly origin: string
  readonly actions: readonly string[]
  /** @throws NoDecision: treat every one as a deny. */
  decide(submission: Submission, options?: DecideOptions): Promise<Decision>
  /** A dry run: no effects, no leaf of its own, counted. @throws NoDecision */
  check(submission: Submission, options?: DecideOptions): Promise<DryRun>
  /**
   * Everything of one kind that may be done or may do it: each candidate is decided as {@link check} would, all at one instant, with one
   * policy and one `now`. No effect is performed; the page is one leaf. Never a short list: what cannot be answered in full is an error.
   *
   * @throws NoDecision; `invalid_page_token`, `not_searchable`, `search_budget` and `malformed` are the caller's to mend, and counted
   */
  search(submission: SearchSubmission, options?: SearchOptions): Promise<SearchResult>
  /** Counts a request that was refused before dispatch (`source`: the transport; `why`: a stable code). */
  refused(source: string, why: string): void
  receipt(decisionId: string): Promise<Receipt | undefined>
  /** Swaps the policy atomically; logged as a decision. @throws EngineError, NoDecision: the old one stays. */
  activate(bundle: Bundle): Promise<Policy>
  /**
   * Changes the active policy's data between two decisions: all operations, or none. The change is logged like an activation, under a
   * revision that follows from the one before and the operations ({@link revisionAfter}).
   *
   * @param release of signed policies: what they are with the change; as with an activation, no earlier one serves after it
   * @throws EngineError `invalid_patch`, `invalid_bundle` (an earlier release); NoDecision: nothing changed
   */
  update(operations: readonly DataOperation[], release?: Release): Promise<Policy>
  /** Logs that a policy was offered and not taken, for a reason with a stable code. @throws NoDecision */
  refusePolicy(code: string, offered: Json): Promise<void>
  /**
   * Lets a second policy answer what the live one is asked, after the fact and without effect; the differences are logged (`assay.shadow/v1`).
   * Undefined ends it. Searches, dry runs and recalled decisions are not compared. @throws EngineError, NoDecision: nothing changes
   */
  shadow(bundle: Bundle | undefined): Promise<Policy | undefined>
  readiness(): Readiness
  /**
   * Gives waiting leaves their places and has a head over them signed, until none waits or the seal's time is over: for whoever schedules that
   * where no timer runs. Where the store orders at commit there is nothing to do. @throws StoreError `unavailable`
   */
  integrate(): Promise<Merged>
  readonly log: LogReader
  /** Drains: no new requests, the accepted ones are answered, then everything is closed. */
  close(): Promise<void>
}

export interface KernelOptions {
  /** The log's name (C2SP checkpoint origin): no scheme, no trailing slash; it never changes. */
  readonly origin: string
  readonly store: Store
  readonly log: LogStore
  readonly custody: Custody
  /** The name of a key of scope `log` with an active version. */
  readonly logKey: string
  readonly engine: Engine
  /** For shadow policies: in a worker of its own, one that hangs keeps nobody waiting. Default: `engine`. */
  readonly shadowEngine?: Engine
  readonly clock: Clock
  readonly plugins: readonly Plugin[]
  readonly outbound?: readonly Outbound[]
  /** The name of the one plugin that may read decisions and erase their openings. Default: none. */
  readonly auditor?: string
  /** Marks every leaf: a local key, and policies from a folder, prove nothing to strangers. */
  readonly development: boolean
  /**
   * When the source of the policies last said that the active one is its newest; 0: never. Policies see it as `input.request.policy.confirmed`,
   * and leaves commit to it. Without it, or where it gives undefined, the input has no such member.
   */
  readonly policyConfirmed?: () => UnixSeconds | undefined
  readonly limits?: Partial<Limits>
  readonly observer?: Observer
}

/**
 * Opens the log and gets ready to decide; without {@link Kernel.activate} every decision is a denial. The kernel closes what it was given.
 *
 * @throws RegistryError; CustodyError `unknown_key` without an active log key; StoreError `corrupt` when the rows do not lead to the
 *   published head
 */
export function createKernel(options: KernelOptions): Promise<Kernel> {
  return KernelRuntime.open(options)
}
