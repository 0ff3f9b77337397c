/** The kernel at work: admission, the shared parts of all decisions, policy swaps, and a shutdown that drains. */
import { Admission } from './admission.ts'
import { Committer, sealReached } from './commit.ts'
import { type Core, DEFAULT_LIMITS, type Limits } from './core.ts'
import { Counts } from './counts.ts'
import { Deadlines } from './deadline.ts'
import { type Decided, decide, deliberate } from './decide.ts'
import { asNoDecision, CustodyError, NoDecision } from './error.ts'
import { checkPage } from './frame.ts'
import { Idempotency } from './idempotency.ts'
import type { Json } from './json.ts'
import type {
  DecideOptions,
  Decision,
  DryRun,
  Kernel,
  KernelOptions,
  Readiness,
  SearchOptions,
  SearchResult,
  SearchSubmission,
  Submission,
} from './kernel.ts'
import { type LogReader, logReader } from './log/reader.ts'
import type { Receipt } from './log/receipt.ts'
import { type Merged, Merger } from './merge.ts'
import { type Dispatch, type Dispatched, guarded, type Watching, watched } from './observe.ts'
import { Outbox } from './outbox.ts'
import { OwnDecisions } from './own.ts'
import { letGo, Policies } from './policies.ts'
import type { Bundle, Release } from './ports/compiler.ts'
import type { DataOperation, Policy } from './ports/engine.ts'
import { newestTime, readinessOf } from './readiness.ts'
import { RecordCache } from './reads.ts'
import { recall } from './recall.ts'
import { awaitDecision, type Found, makeReceipt, receiptUnder } from './receipts.ts'
import { createRegistry } from './registry.ts'
import { screen } from './screen.ts'
import { type Head, Sealer } from './seal.ts'
import { isCallersToMend, Searches } from './search/search.ts'
import { Shadow } from './shadow/shadow.ts'
import { Trial } from './trial.ts'

export class KernelRuntime implements Kernel {
  readonly origin: string
  readonly log: LogReader
  readonly #core: Core
  readonly #sealer: Sealer
  readonly #own: OwnDecisions
  readonly #outbox: Outbox
  readonly #searches: Searches
  readonly #counts: { readonly refused: Counts; readonly checks: Counts }
  readonly #policies: Policies
  readonly #admission: Admission
  #closing: Promise<void> | undefined
  readonly #timers: readonly ReturnType<typeof setInterval>[]

  private constructor(
    options: KernelOptions,
    { sealer, watching }: { readonly sealer: Sealer; readonly watching: Watching | undefined },
    newestSeconds: number,
  ) {
    const { store, log, custody, clock } = options
    const registry = createRegistry(options.plugins)
    const deadlines = new Deadlines(() => clock.monotonic())
    const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.origin = options.origin
    this.#policies = new Policies(options)
    this.#sealer = sealer
    this.#outbox = new Outbox(store, clock, options.outbound ?? [], (entry, outcome) =>
      this.#own.outcome(entry, outcome),
    )
    const merger = store.ordersOnCommit ? undefined : new Merger({ log, sealer, clock, limits })
    const committing = { store, log, clock, sealer, merger, limits, newestSeconds, watching }
    this.#core = {
      ...{ store, log, custody, clock, limits, registry, merger, deadlines, watching },
      cache: new RecordCache(),
      committer: new Committer(committing),
      idempotency: new Idempotency(store, clock),
      shadow: new Shadow({ clock, deadlines, limits, registry, watching }),
      development: options.development,
      auditor: options.auditor,
      outboundKinds: this.#outbox.kinds,
      policy: () => this.#policies.active,
      policyConfirmed: options.policyConfirmed ?? (() => undefined),
    }
    this.#own = new OwnDecisions(this.#core)
    this.#admission = new Admission(this.#core)
    this.#searches = new Searches(this.#core)
    this.#counts = { refused: new Counts('refused', clock), checks: new Counts('checks', clock) }
    this.log = logReader(log, () => sealer.head)
    this.#timers = this.#startTimers(limits)
  }

  #startTimers({ probeMs, windowMs }: Limits): readonly ReturnType<typeof setInterval>[] {
    const timers = [
      setInterval(() => void this.#endWindow(), windowMs),
      setInterval(() => this.#core.committer.probe(), probeMs),
    ]
    for (const timer of timers) timer.unref?.()
    return timers
  }

  static async open(options: KernelOptions): Promise<KernelRuntime> {
    const { clock, custody, log, origin, store } = options
    const keys = await custody.list('log')
    const key = keys.findLast(({ name, state }) => name === options.logKey && state === 'active')
    if (!key)
      throw new CustodyError(
        custody.name,
        'unknown_key',
        `no active log key ${options.logKey}; create one`,
      )
    const timeoutMs = options.limits?.sealTimeoutMs ?? DEFAULT_LIMITS.sealTimeoutMs
    const watching = options.observer && guarded(options.observer)
    const shared = !store.ordersOnCommit
    const signing = { origin, log, custody, key, timeoutMs, clock, watching, shared }
    const sealer = await Sealer.open(signing)
    const kernel = new KernelRuntime(options, { sealer, watching }, await newestTime(log))
    await kernel.#core.idempotency.open()
    kernel.#outbox.wake()
    return kernel
  }

  get actions(): readonly string[] {
    return this.#core.registry.actions
  }

  decide(submission: Submission, options: DecideOptions = {}): Promise<Decision> {
    const { watching } = this.#core
    if (watching === undefined) return this.#decide(submission, options)
    return watched(watching, this.#named('decide', submission), () =>
      this.#decide(submission, options),
    )
  }

  async #decide(submission: Submission, options: DecideOptions): Promise<Decision> {
    const trial = this.#admission.enter(submission, options)
    try {
      const screening = screen(this.#core, trial, this.#refused)
      if (screening) await screening
      const decided = await decide(this.#core, trial)
      if ('decided' in decided) return await recall(this, this.#core, decided.decided)
      if (decided.draft.outbox > 0) this.#outbox.wake()
      return this.#answer(decided, trial.waitForSeal)
    } catch (error) {
      throw asNoDecision(error)
    } finally {
      this.#admission.leave()
    }
  }

  check(submission: Submission, options: DecideOptions = {}): Promise<DryRun> {
    const { watching } = this.#core
    if (watching === undefined) return this.#check(submission, options)
    return watched(watching, this.#named('check', submission), () =>
      this.#check(submission, options),
    )
  }

  async #check(submission: Submission, options: DecideOptions): Promise<DryRun> {
    const admitted = this.#admission.enter(submission, options)
    try {
      await screen(this.#core, admitted, this.#refused)
      const trial = await Trial.begin(this.#core, { ...admitted, dryRun: true })
      const { action, answer } = await deliberate(this.#core, trial)
      this.#core.watching?.checked(action, answer.allow)
      this.#counts.checks.add(action, answer.allow ? 'allow' : 'deny')
      return { dryRun: true, ...answer }
    } catch (error) {
      throw asNoDecision(error)
    } finally {
      this.#admission.leave()
    }
  }

  search(submission: SearchSubmission, options: SearchOptions = {}): Promise<SearchResult> {
    const { watching } = this.#core
    if (watching === undefined) return this.#search(submission, options)
    return watched(watching, this.#named('search', submission), () =>
      this.#search(submission, options),
    )
  }

  async #search(submission: SearchSubmission, options: SearchOptions): Promise<SearchResult> {
    const page = checkPage(submission, options)
    const asked = { ...this.#admission.enter(submission, options), ...page }
    try {
      const { results, nextToken, ...searched } = await this.#searches.run(asked)
      const { id, index, receipt, seal } = this.#answer(searched, asked.waitForSeal)
      return { id, results, nextToken, seal, ...(index === undefined ? {} : { index }), receipt }
    } catch (error) {
      const none = asNoDecision(error)
      if (isCallersToMend(none)) this.refused('search', none.code)
      throw none
    } finally {
      this.#admission.leave()
    }
  }

  readonly #refused = (source: string, why: string): void => this.refused(source, why)

  refused(source: string, why: string): void {
    this.#core.watching?.refused(source, why)
    this.#counts.refused.add(source, why)
  }

  async receipt(decisionId: string): Promise<Receipt | undefined> {
    const { log, merger } = this.#core
    const found = await awaitDecision(this.#core, decisionId)
    if (!found) return undefined
    const head =
      this.#headOver(found) ??
      (await (merger?.until(async () => this.#headOver(found)) ?? this.#sealer.idle())) ??
      this.#headOver(found)
    if (head) return receiptUnder(log, found, head)
    throw new NoDecision('unavailable', 'the decision is committed and not sealed yet; ask again', {
      decisionId,
    })
  }

  #headOver({ index }: Found): Head | undefined {
    const { head } = this.#sealer
    return head && index < head.size ? head : undefined
  }

  activate(bundle: Bundle): Promise<Policy> {
    return this.#policies.activate(bundle, this.#core, this.#own)
  }

  update(operations: readonly DataOperation[], release?: Release): Promise<Policy> {
    return this.#policies.update({ operations, release }, this.#core, this.#own)
  }

  refusePolicy(code: string, offered: Json): Promise<void> {
    return this.#own.refusal(code, offered)
  }

  shadow(bundle: Bundle | undefined): Promise<Policy | undefined> {
    return this.#policies.shadow(bundle, this.#core, this.#own)
  }

  readiness(): Readiness {
    return readinessOf({
      core: this.#core,
      sealer: this.#sealer,
      outbox: this.#outbox,
      admission: this.#admission,
    })
  }

  async integrate(): Promise<Merged> {
    const { merger } = this.#core
    if (merger) return merger.integrate()
    await this.#sealer.idle()
    return { pending: 0, sealed: (this.#sealer.head?.size ?? 0n).toString() }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#admission.close()
    await this.#policies.settled()
    await this.#outbox.close()
    await this.#core.shadow.close()
    await this.#endWindow()
    await this.#core.committer.drained()
    await this.#sealer.close()
    this.#core.deadlines.close()
    await letGo(this.#policies.active)
    await this.#core.log.close()
    await this.#core.store.close()
    await this.#core.custody.close()
  }

  /** What nobody answers may be anything, so it is not named. */
  #named(dispatch: Dispatch, { action }: Pick<Submission, 'action'>): Dispatched {
    const known = this.#core.registry.find(action) !== undefined
    return { dispatch, action: known ? action : 'unknown' }
  }

  #answer({ draft, record, committed }: Decided, waitedForSeal: boolean): Decision {
    const { index, proof } = committed
    const seal = sealReached(committed, waitedForSeal)
    return {
      id: draft.id,
      ...draft.answer,
      seal,
      ...(index === undefined ? {} : { index: index.toString() }),
      receipt: async () =>
        proof && index !== undefined
          ? makeReceipt(record.leaf, record.openings, index, proof)
          : this.#receiptNow(draft.id),
    }
  }

  async #receiptNow(id: string): Promise<Receipt> {
    const receipt = await this.receipt(id)
    if (!receipt)
      throw new NoDecision('unavailable', 'the decision is not in the store', { decisionId: id })
    return receipt
  }

  /** Counted leaves and expired idempotency rows; a failure shows in readiness and is tried again with the next window. */
  async #endWindow(): Promise<void> {
    try {
      await this.#core.idempotency.sweep()
      for (const counts of Object.values(this.#counts)) {
        const leaf = counts.take()
        if (leaf !== undefined) await this.#own.leaf(leaf)
      }
      for (const leaf of this.#core.shadow.take()) await this.#own.leaf(leaf)
    } catch {
      // The committer remembers that the store failed; this window's counts are lost, as a crash would lose them.
    }
  }
}
