/** A decision that was made before, as its caller saw it: for a repeated idempotency key. */
import type { Core } from './core.ts'
import { KERNEL_REASONS, type KernelReason, kernelReason } from './denial.ts'
import { NoDecision } from './error.ts'
import type { Json } from './json.ts'
import type { Decision, Kernel } from './kernel.ts'
import { type DecisionLeaf, isKernelReason } from './log/leaves.ts'
import type { Receipt } from './log/receipt.ts'
import { awaitDecision } from './receipts.ts'
import type { Reason, Verdict } from './verdict.ts'

/** @throws NoDecision `unavailable` when it cannot be found (any more) */
export async function recall(kernel: Kernel, core: Core, id: string): Promise<Decision> {
  const found = await awaitDecision(core, id)
  if (!found)
    throw new NoDecision('unavailable', 'the decision is not in the store', { decisionId: id })
  const leaf = JSON.parse(found.leaf) as DecisionLeaf
  const { openings } = found.stored
  const opened = (field: string): Json | undefined =>
    openings?.[field] && (JSON.parse(openings[field].json) as Json)
  const own = leaf.reasons.find(({ code }) => isKernelReason(code))
  // Without its obligations an allow would say more than it did.
  if (!own && !openings)
    throw new NoDecision('unavailable', 'the decision was erased', { decisionId: id })
  const verdict = own ? undefined : (opened('verdict') as Verdict | undefined)
  const output = own ? undefined : (opened('output') ?? verdict?.output)
  return {
    id,
    allow: leaf.allow,
    reasons: verdict?.reasons ?? leaf.reasons.map(withMessage),
    obligations: verdict?.obligations ?? [],
    ...(output === undefined ? {} : { output }),
    seal: 'durable',
    index: found.index.toString(),
    receipt: async () => (await kernel.receipt(id)) as Receipt,
  }
}

function withMessage({ code, rule }: { code: string; rule: string }): Reason {
  const name = code.slice(code.indexOf('/') + 1)
  return isKernelReason(code) && Object.hasOwn(KERNEL_REASONS, name)
    ? kernelReason(name as KernelReason)
    : { code, rule, message: '' }
}
