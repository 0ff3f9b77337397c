/** The kernel's own reasons to deny: what no Rego can lower. Documented in `docs/reasons.md`; the texts hold nothing of a request. */
import { EngineError } from './error.ts'
import type { Reason } from './verdict.ts'

export const KERNEL_REASONS = {
  budget_exhausted: 'The policy took more steps than it may.',
  contended: 'What the decision rests on changed again and again; try later.',
  deadline: 'Facts or policy took longer than the deadline.',
  effect_failed: 'An effect that the policy asked for could not be planned.',
  effect_not_allowed_on_deny:
    'The policy denied and asked for an effect that may only follow an allow.',
  engine_mismatch: 'Two engines gave different answers to the same question.',
  invalid_effect: 'The policy asked for an effect that does not conform to its schema.',
  invalid_facts: 'The plugin answered with facts that do not conform to its schema.',
  invalid_verdict: 'The policy answered with something that is not a verdict.',
  no_plugin: 'No plugin answers this action.',
  no_policy: 'No policy is active.',
  plugin_failed: 'The plugin failed.',
  policy_failed: 'The policy could not be evaluated.',
  signing_failed: 'A signature that the policy asked for could not be made.',
  too_large: 'The decision is larger than the store or the log takes.',
  unknown_effect: 'The policy asked for an effect that nobody declares.',
  unsupported_obligation: 'The caller cannot carry out an obligation that the policy attached.',
  unverified_evidence: 'The policy allowed although evidence failed its check or was missing.',
} as const
export type KernelReason = keyof typeof KERNEL_REASONS

/** Ends a deliberation with a denial. Never leaves the kernel. */
export class Denial extends Error {
  readonly code: KernelReason
  constructor(code: KernelReason, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

/** Why a policy could not answer, from what its evaluation threw. */
export function evaluationFailure(error: unknown): KernelReason {
  if (error instanceof Denial) return error.code
  const code = error instanceof EngineError ? error.code : undefined
  return code === 'budget_exhausted' || code === 'engine_mismatch' ? code : 'policy_failed'
}

export function kernelReason(name: KernelReason): Reason {
  const code = `${name === 'engine_mismatch' ? 'internal' : 'kernel'}/${name}`
  return { code, message: KERNEL_REASONS[name], rule: code }
}
