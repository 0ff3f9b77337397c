/**
 * Which verifier sets a node takes. The same rule as policies/task, which decides for servers: a node has no Rego engine, and a test holds the
 * two together.
 */
import { type SetDescription, VERIFIER_SET_SCOPE } from '../formats/task/index.ts'

/** Why a set is not taken, the first in this order. */
export const SET_REASONS = [
  'malformed',
  'key_unknown',
  'signature_invalid',
  'scope_mismatch',
  'kid_mismatch',
  'weak_key',
  'verifier_set_rollback',
  'not_newer',
  'equivocation',
  'no_active_key',
  'more_than_one_active',
  'activated_without_publication',
  'grace_without_end',
  'revoked_key_reactivated',
] as const
export type SetReason = (typeof SET_REASONS)[number]

/** Undefined for a set that is taken. @param set one that a root key signed */
export function refusalOfSet(set: SetDescription): SetReason | undefined {
  if (set.scope !== VERIFIER_SET_SCOPE) return 'scope_mismatch'
  if (set.misnamed.length > 0) return 'kid_mismatch'
  if (set.weak.length > 0) return 'weak_key'
  if (set.newness === 'older') return 'verifier_set_rollback'
  if (set.newness === 'same') return 'not_newer'
  if (set.newness === 'different') return 'equivocation'
  if (set.active.length === 0) return 'no_active_key'
  if (set.active.length > 1) return 'more_than_one_active'
  if (withoutPublication(set)) return 'activated_without_publication'
  if (set.endless.length > 0) return 'grace_without_end'
  return set.reactivated.length > 0 ? 'revoked_key_reactivated' : undefined
}

/** Where sets were skipped, one of those may have published the key: a node that was away for long must get on. */
function withoutPublication({ emergency, newness, unpublished }: SetDescription): boolean {
  return newness === 'next' && !emergency && unpublished.length > 0
}
