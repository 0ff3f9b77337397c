import type { Json } from './json.ts'
import type { Receipt } from './log/receipt.ts'
import type { Bundle } from './ports/compiler.ts'
import type { Policy } from './ports/engine.ts'
import type { Payload, Peer } from './request.ts'
import type { Obligation, Reason } from './verdict.ts'

/** What the caller waits for. `durable`: survives a crash. `sealed`: included in a signed head. */
export type Seal = 'durable' | 'sealed'

export interface DecideOptions {
  /** Default `sealed`. */
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
  /** 32 lower-case hex digits, random. */
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly Reason[]
  readonly obligations: readonly Obligation[]
  readonly output?: Json
  /** `committed_unsealed`: it is in the log, and signing the head failed; fetch the receipt by id later. */
  readonly seal: Seal | 'committed_unsealed'
  /** The leaf's place in the log, decimal. */
  readonly index: string
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

export interface Readiness {
  readonly ready: boolean
  /** Stable codes: `clock_behind`, `closed`, `no_policy`, `store_failed`, `unsealed`, `policy_stale`. */
  readonly problems: readonly string[]
  readonly policy: { readonly digest: string; readonly revision: string } | undefined
  readonly size: string
}

export interface Kernel {
  readonly origin: string
  readonly actions: readonly string[]
  /** @throws NoDecision: treat every one as a deny. */
  decide(submission: Submission, options?: DecideOptions): Promise<Decision>
  /** A dry run: no effects, no leaf of its own, counted. @throws NoDecision */
  check(submission: Submission, options?: DecideOptions): Promise<DryRun>
  /** Counts a request that was refused before dispatch (`source`: the transport; `why`: a stable code). */
  refused(source: string, why: string): void
  receipt(decisionId: string): Promise<Receipt | undefined>
  /** Swaps the policy atomically; logged as a decision. @throws EngineError, NoDecision: the old one stays. */
  activate(bundle: Bundle): Promise<Policy>
  readiness(): Readiness
  readonly log: LogReader
  /** Drains: no new requests, the accepted ones are answered, then everything is closed. */
  close(): Promise<void>
}

/** C2SP tlog-tiles: what a client reads. Undefined is "not found". */
export interface LogReader {
  checkpoint(): Promise<Uint8Array | undefined>
  /** `width` 1 to 256; 256 is the full tile. */
  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined>
  entries(index: bigint, width: number): Promise<Uint8Array | undefined>
}
