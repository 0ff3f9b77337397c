/** Why a bundle is not taken: one closed set of codes, for bytes, signatures, history and behaviour alike. `docs/bundles.md` explains each. */
import { KernelError } from '../../core/error.ts'

export const BUNDLE_REFUSALS = [
  // The bytes.
  'corrupted',
  'too_large',
  'truncated',
  'unpacks_too_large',
  // What is in them.
  'delta_not_data',
  'delta_roots',
  'invalid_data',
  'invalid_manifest',
  'invalid_patch',
  'missing_file',
  'module_mismatch',
  'not_from_sources',
  // Who signed.
  'foreign_root',
  'revoked_key',
  'signature_invalid',
  'threshold_not_met',
  'unsigned',
  'wrong_scope',
  // What served before.
  'equivocation',
  'older_revision',
  // What a delta applies to.
  'delta_base',
  'delta_conflict',
  'delta_not_applicable',
  'delta_too_many',
  // What it does.
  'capabilities_not_allowed',
  'missing_entrypoint',
  'not_a_verdict',
  'self_test_failed',
  // What two bundles do not differ in alone.
  'delta_not_possible',
] as const
export type BundleRefusalCode = (typeof BUNDLE_REFUSALS)[number]

/** The policy before it stays. What is wrong with an archive as such is a BundleError, with codes of its own. */
export class BundleRefusal extends KernelError<BundleRefusalCode> {
  constructor(code: BundleRefusalCode, what: string, options?: ErrorOptions) {
    super('policies/bundle', code, what, options)
  }
}
