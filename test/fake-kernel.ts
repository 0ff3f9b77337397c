/** A kernel that answers as a script says: for transports, which neither verify nor decide. */
import type {
  DecideOptions,
  Decision,
  DryRun,
  Kernel,
  Readiness,
  SearchOptions,
  SearchResult,
  SearchSubmission,
  Submission,
} from '../core/kernel.ts'
import type { LogReader } from '../core/log/reader.ts'
import type { Receipt } from '../core/log/receipt.ts'
import type { Merged } from '../core/merge.ts'
import type { Policy } from '../core/ports/engine.ts'

export interface Dispatch {
  readonly submission: Submission
  readonly options: DecideOptions
}

export interface Searched {
  readonly submission: SearchSubmission
  readonly options: SearchOptions
}

export const DECISION_ID = '0123456789abcdef0123456789abcdef'
export const RECEIPT: Receipt = {
  type: 'assay.receipt/v1',
  leaf: '{}',
  proof: 'c2sp.org/tlog-proof@v1\n',
}

/** An allow, but for what `part` says. */
export function decision(part: Partial<Decision> = {}): Decision {
  return {
    id: DECISION_ID,
    allow: true,
    reasons: [],
    obligations: [],
    seal: 'sealed',
    index: '7',
    receipt: async () => RECEIPT,
    ...part,
  }
}

/** A last page without results, but for what `part` says. */
export function page(part: Partial<SearchResult> = {}): SearchResult {
  return {
    id: DECISION_ID,
    results: [],
    nextToken: '',
    seal: 'sealed',
    index: '7',
    receipt: async () => RECEIPT,
    ...part,
  }
}

export class FakeKernel implements Kernel {
  readonly origin = 'example.com/log'
  readonly actions: readonly string[] = ['access.evaluate']
  /** Everything that was dispatched, in order. */
  readonly dispatches: Dispatch[] = []
  readonly checks: Dispatch[] = []
  readonly searches: Searched[] = []
  /** `<source> <why>` */
  readonly refusals: string[] = []
  readonly log: LogReader
  ready: Readiness = {
    ready: true,
    problems: [],
    degraded: [],
    policy: undefined,
    size: '0',
    sealed: '0',
    inFlight: 0,
    outbox: 0,
  }
  readonly receipts: Map<string, Receipt> = new Map()
  closed = false
  script: (dispatch: Dispatch, n: number) => Promise<Decision>
  searchScript: (searched: Searched, n: number) => Promise<SearchResult> = async () => page()

  constructor(script: FakeKernel['script'] = async () => decision(), log: Partial<LogReader> = {}) {
    this.script = script
    const nothing = async (): Promise<undefined> => undefined
    this.log = { checkpoint: nothing, tile: nothing, entries: nothing, ...log }
  }

  decide(submission: Submission, options: DecideOptions = {}): Promise<Decision> {
    const n = this.dispatches.push({ submission, options })
    return this.script({ submission, options }, n)
  }

  async check(submission: Submission, options: DecideOptions = {}): Promise<DryRun> {
    this.checks.push({ submission, options })
    const reasons = [{ code: 'role_missing', message: 'no role', rule: 'access.role' }]
    return { dryRun: true, allow: false, reasons, obligations: [] }
  }

  search(submission: SearchSubmission, options: SearchOptions = {}): Promise<SearchResult> {
    const n = this.searches.push({ submission, options })
    return this.searchScript({ submission, options }, n)
  }

  refused(source: string, why: string): void {
    this.refusals.push(`${source} ${why}`)
  }

  async receipt(decisionId: string): Promise<Receipt | undefined> {
    return this.receipts.get(decisionId)
  }

  refusePolicy(): Promise<void> {
    throw new Error('no transport offers a policy')
  }

  shadow(): Promise<undefined> {
    throw new Error('no transport follows a shadow')
  }

  activate(): Promise<Policy> {
    return Promise.reject(new Error('this kernel has no policy'))
  }

  update(): Promise<Policy> {
    return Promise.reject(new Error('this kernel has no policy'))
  }

  readiness(): Readiness {
    return this.ready
  }

  async integrate(): Promise<Merged> {
    return { pending: 0, sealed: '0' }
  }

  async close(): Promise<void> {
    this.closed = true
  }
}
