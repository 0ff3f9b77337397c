/**
 * What may be seen of the kernel at work: for metrics, traces and logs. Codes, rules, digests, sizes and durations; never a payload, a fact,
 * a message or who asked. Every method is optional and called synchronously; whatever it throws is dropped, so that watching hurts nothing.
 */
import { type Committed, sealReached } from './commit.ts'
import type { Draft } from './decision.ts'
import { NoDecision, type NoDecisionCode, type StoreErrorCode } from './error.ts'
import type { Change, LeafReason } from './log/leaves.ts'
import type { Clock } from './ports/clock.ts'

/** Milliseconds. `commit` lasts until the caller is answered, its wait for the seal included; of the last attempt where there were more. */
export interface Durations {
  readonly facts: number
  readonly policy: number
  readonly commit: number
  /** From admission, all attempts together. */
  readonly total: number
}

/** One decision that is in the log. */
export interface Observed {
  readonly id: string
  /** `unknown` when no plugin answers it. */
  readonly action: string
  readonly allow: boolean
  readonly reasons: readonly LeafReason[]
  /** The policy's digest, or `none`. */
  readonly policy: string
  readonly revision: string
  readonly seal: 'committed_unsealed' | 'durable' | 'sealed'
  /** Undefined as long as the leaf waits for its place. */
  readonly index: bigint | undefined
  /** Not of searches and the kernel's own decisions. */
  readonly durations?: Durations
}

export function observed(
  { action, answer, id, policy }: Draft,
  committed: Committed,
  waitedForSeal: boolean,
  durations?: Durations,
): Observed {
  return {
    id,
    action,
    allow: answer.allow,
    reasons: answer.reasons.map(({ code, rule }) => ({ code, rule })),
    policy: policy?.digest ?? 'none',
    revision: policy?.revision ?? 'none',
    seal: sealReached(committed, waitedForSeal),
    index: committed.index,
    ...(durations && { durations }),
  }
}

/** What a caller asked the kernel for. */
export type Dispatch = 'check' | 'decide' | 'search'

export interface Dispatched {
  readonly dispatch: Dispatch
  /** `unknown` when no plugin answers it. */
  readonly action: string
}

export interface Observer {
  /**
   * Called with each dispatch, so that a trace's context can be active meanwhile. `run` starts the dispatch when it is first called and
   * gives the same promise to every caller; the kernel calls it too.
   */
  around?(dispatched: Dispatched, run: () => Promise<unknown>): void
  decided?(observed: Observed): void
  /** A dry run. */
  checked?(action: string, allow: boolean): void
  /** Before dispatch. */
  refused?(source: string, code: string): void
  noDecision?(code: NoDecisionCode): void
  /** One durable write of `size` decisions. */
  group?(size: number, durationMs: number): void
  /** A write that failed: of decisions, or of the probe. */
  storeFailed?(code: StoreErrorCode | 'unknown'): void
  /** A signed head over `size` leaves. */
  sealed?(size: bigint, durationMs: number): void
  sealFailed?(): void
  /** This policy serves from now on. */
  activated?(digest: string, revision: string): void
  /** A decision was compared with the shadow policy's, or never will be. */
  shadowed?(action: string, change: Change | 'dropped' | 'same'): void
}

/** An observer that can be called without a second thought. */
export type Watching = Required<Observer>

export function guarded(observer: Observer): Watching {
  const quiet =
    <Name extends Exclude<keyof Observer, 'around'>>(name: Name) =>
    (...seen: Parameters<Watching[Name]>): void => {
      try {
        ;(observer[name] as ((...seen: unknown[]) => void) | undefined)?.apply(observer, seen)
      } catch {
        // Nobody who decides can do anything about it.
      }
    }
  return {
    around: (dispatched, run) => {
      try {
        observer.around?.(dispatched, run)
      } catch {
        // As above; the kernel runs the dispatch itself.
      }
    },
    decided: quiet('decided'),
    checked: quiet('checked'),
    refused: quiet('refused'),
    noDecision: quiet('noDecision'),
    group: quiet('group'),
    storeFailed: quiet('storeFailed'),
    sealed: quiet('sealed'),
    sealFailed: quiet('sealFailed'),
    activated: quiet('activated'),
    shadowed: quiet('shadowed'),
  }
}

/** Runs one dispatch in front of those who watch. */
export function watched<T>(
  watching: Watching,
  dispatched: Dispatched,
  run: () => Promise<T>,
): Promise<T> {
  let running: Promise<T> | undefined
  const once = (): Promise<T> => {
    running ??= run()
    return running
  }
  watching.around(dispatched, once)
  const done = once()
  done.catch((error: unknown) => {
    watching.noDecision(error instanceof NoDecision ? error.code : 'unavailable')
  })
  return done
}

/** How long the steps of one attempt took. */
export class Steps {
  readonly #clock: Clock
  readonly #admittedAt: number
  #at: number
  #facts: number | undefined
  #policy: number | undefined

  constructor(clock: Clock, admittedAt: number) {
    this.#clock = clock
    this.#admittedAt = admittedAt
    this.#at = clock.monotonic()
  }

  /** Only the first time counts: a step that failed has ended, whoever says so. */
  factsEnd(): void {
    this.#facts ??= this.#lap()
  }

  policyEnd(): void {
    this.#policy ??= this.#lap()
  }

  durations(): Durations {
    const commit = this.#lap()
    const total = this.#at - this.#admittedAt
    return { facts: this.#facts ?? 0, policy: this.#policy ?? 0, commit, total }
  }

  #lap(): number {
    const before = this.#at
    this.#at = this.#clock.monotonic()
    return this.#at - before
  }
}
