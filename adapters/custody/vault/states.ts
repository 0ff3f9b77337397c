/**
 * What of a key's states Vault itself can hold to. A transit key has two numbers: the lowest version that may sign, and the lowest one that
 * exists for its users at all. Versions above the first are for the record to tell apart.
 */
import type { KeyState } from '../../../core/ports/custody.ts'

export interface Limits {
  /** `min_encryption_version`: no version below signs. May be one more than there are: nothing may sign, and Vault needs a version in reserve. */
  readonly signing: number
  /** `min_decryption_version`: no version below signs, verifies or is shown. Never above {@link signing}. */
  readonly verifying: number
}

/** @param states of versions 1, 2, 3 ... */
export function limitsOf(states: readonly KeyState[]): Limits {
  const active = states.indexOf('active')
  const signing = active < 0 ? unused(states) : active + 1
  const known = states.findIndex((state) => state !== 'retired' && state !== 'revoked')
  return { signing, verifying: known < 0 ? signing : Math.min(known + 1, signing) }
}

/** The first version after the last one that was ever used. */
function unused(states: readonly KeyState[]): number {
  return 2 + states.findLastIndex((state) => state !== 'pre-active')
}
