/**
 * Looks into decisions under policy. The plugin `audit` and its Rego decide; this carries out what they granted, so that no rule stands
 * here: which records, which fields.
 */
import { decisionKey } from '../../core/decision.ts'
import { NoDecision } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { DecideOptions, Decision, Kernel, Submission } from '../../core/kernel.ts'
import type { DecisionLeaf } from '../../core/log/leaves.ts'
import { type OpeningScope, scopesSchema } from '../../core/log/query.ts'
import { publishedHead } from '../../core/log/reader.ts'
import type { Audit, AuditedReceipt, AuditPage, CommittedOutcome } from '../../core/ports/audit.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { type Found, findDecision } from '../../core/receipts.ts'
import { Payload } from '../../core/request.ts'
import { schema } from '../../core/schema.ts'
import { cut } from './record.ts'
import { type Grant, grantSchema, runQuery } from './run.ts'

export interface AuditPorts {
  readonly kernel: Kernel
  readonly store: Store
  readonly log: LogStore
}

export function createAudit({ kernel, store, log }: AuditPorts): Audit {
  /** Found by its id also where its leaf waits for its place. @throws NoDecision `unavailable`: ask again */
  async function committed(id: string): Promise<Found | undefined> {
    const found = await findDecision(store, log, id)
    if (found || !(await store.get(decisionKey(id)))) return found
    await kernel.integrate()
    const placed = await findDecision(store, log, id)
    if (placed) return placed
    const what = 'the decision is committed and waits for its place in the log; ask again'
    throw new NoDecision('unavailable', what, { decisionId: id })
  }

  return {
    async query(submission, options): Promise<AuditPage> {
      const decision = await decideFor(kernel, { ...submission, action: 'audit.query' }, options)
      if (!decision.allow) return { decision, size: '0', records: [] }
      const grant = granted<Grant>(grantSchema.problem(decision.output, ''), decision.output)
      const head = await publishedHead(kernel.log)
      if (!head || decision.index === undefined) throw unsealed(decision)
      // The query's own leaf is the end: each page has one, and pages would go on for ever.
      const own = BigInt(decision.index)
      const end = own < head.size ? own : head.size
      return { decision, ...(await runQuery({ store, log, head, end }, grant)) }
    },

    async receipt(id, peer, options): Promise<AuditedReceipt | undefined> {
      const receipt = await kernel.receipt(id)
      if (!receipt) return undefined
      const payload = Payload.fromJson({ id })
      const asked = { action: 'audit.receipt', payload, ...(peer ? { peer } : {}) }
      const decision = await decideFor(kernel, asked, options)
      const open = decision.allow ? scopesOf(decision) : []
      // Read again: what was erased while the policy was asked is not handed out.
      const found = await findDecision(store, log, id)
      if (!found) return undefined
      const { proof } = receipt
      return { decision, record: cut(found, proof, { fields: ['*'], open }) }
    },

    async outcome(id): Promise<CommittedOutcome | undefined> {
      const found = await committed(id)
      if (!found) return undefined
      const { allow, reasons } = JSON.parse(found.leaf) as DecisionLeaf
      const head = await publishedHead(kernel.log)
      const seal = found.index < (head?.size ?? 0n) ? 'sealed' : 'committed_unsealed'
      return { id, allow, reasons, index: found.index.toString(), seal }
    },
  }
}

/** Durable is not enough: what was looked at is under a signed head before anybody sees it. */
function decideFor(
  kernel: Kernel,
  submission: Submission,
  options: DecideOptions = {},
): Promise<Decision> {
  return kernel.decide(submission, { ...options, seal: 'sealed' })
}

const receiptGrantSchema = schema.object({ open: scopesSchema })

function scopesOf({ output }: Decision): readonly OpeningScope[] {
  const problem = receiptGrantSchema.problem(output, '')
  return granted<{ readonly open: readonly OpeningScope[] }>(problem, output).open
}

function granted<T>(problem: string | undefined, output: Json | undefined): T {
  if (problem === undefined) return output as T
  throw new NoDecision('unavailable', `the audit policy granted what is no scope: ${problem}`)
}

function unsealed({ id }: Decision): NoDecision {
  return new NoDecision('unavailable', 'the log has no signed head yet; ask again', {
    decisionId: id,
  })
}
