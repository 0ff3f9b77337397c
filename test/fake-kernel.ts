/** A kernel that answers as a script says: for transports, which neither verify nor decide. */
import type {
  DecideOptions,
  Decision,
  DryRun,
  Kernel,
  LogReader,
  Readiness,
  Submission,
} from '../core/kernel.ts'
import type { Receipt } from '../core/log/receipt.ts'
import type { Policy } from '../core/ports/engine.ts'

export interface Dispatch {
  readonly submission: Submission
  readonly options: DecideOptions
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

export class FakeKernel implements Kernel {
  readonly origin = 'example.com/log'
  readonly actions: readonly string[] = ['access.evaluate']
  /** Everything that was dispatched, in order. */
  readonly dispatches: Dispatch[] = []
  readonly checks: Dispatch[] = []
  /** `<source> <why>` */
  readonly refusals: string[] = []
  readonly log: LogReader
  ready: Readiness = { ready: true, problems: [], policy: undefined, size: '0' }
  readonly receipts: Map<string, Receipt> = new Map()
  closed = false
  script: (dispatch: Dispatch, n: number) => Promise<Decision>

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

  refused(source: string, why: string): void {
    this.refusals.push(`${source} ${why}`)
  }

  async receipt(decisionId: string): Promise<Receipt | undefined> {
    return this.receipts.get(decisionId)
  }

  activate(): Promise<Policy> {
    return Promise.reject(new Error('this kernel has no policy'))
  }

  readiness(): Readiness {
    return this.ready
  }

  async close(): Promise<void> {
    this.closed = true
  }
}
