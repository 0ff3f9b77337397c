/** What a check of a message can come to, and what can have become of a key. */
import type { KeyState as CustodyState } from '../../core/ports/custody.ts'
import type { BodyProblem, FrameProblem } from '../../formats/wire/index.ts'

export type MessageCheck =
  | 'absent'
  | 'signature_invalid'
  | 'signer_unknown'
  | 'valid'
  | BodyProblem
  | FrameProblem
export const CHECKS: readonly MessageCheck[] = [
  'absent',
  'duplicate_key',
  'inflate_failed',
  'inflated_too_large',
  'invalid_utf8',
  'lone_surrogate',
  'malformed',
  'malformed_body',
  'not_canonical',
  'not_json',
  'number_range',
  'signature_invalid',
  'signer_unknown',
  'too_deep',
  'too_large',
  'unknown_flags',
  'unknown_member',
  'unknown_type',
  'unsigned',
  'valid',
  'weak_key',
]
/** `none`: there is no such record. */
export type KeyState = CustodyState | 'none'
export const STATES: readonly KeyState[] = [
  'pre-active',
  'active',
  'grace',
  'retired',
  'revoked',
  'none',
]
