/** What goes wrong with a token as the Custody port's codes. */
import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'
import type { Failure } from './protocol.ts'

export const NAME = 'custody/pkcs11'

export function refuse(code: CustodyErrorCode, what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}

/** Where it is asked, for messages. */
export interface Place {
  readonly module: string
  readonly token: string
  readonly pinFile: string
}

/** The session is over: log in again. PKCS #11 3.1 section 5.1. */
const LOST: ReadonlySet<string> = new Set([
  'CKR_CRYPTOKI_NOT_INITIALIZED',
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_REMOVED',
  'CKR_SESSION_CLOSED',
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_USER_NOT_LOGGED_IN',
])
const PIN: ReadonlySet<string> = new Set([
  'CKR_PIN_INCORRECT',
  'CKR_PIN_INVALID',
  'CKR_PIN_LEN_RANGE',
])

export const isLost = (failure: Failure): boolean =>
  failure.kind === 'pkcs11' && LOST.has(failure.name)
/** The token refused the PIN, and counts how often it did. */
export const isPin = (failure: Failure): boolean =>
  failure.kind === 'pkcs11' && PIN.has(failure.name)

export function errorOf(failure: Failure, place: Place): CustodyError {
  const { module, pinFile, token } = place
  switch (failure.kind) {
    case 'no_sdk':
      return refuse('misconfigured', 'the package is not installed: npm install pkcs11js')
    case 'no_module':
      return refuse('misconfigured', `module ${module} cannot be loaded; name the vendor's library`)
    case 'no_token':
      return refuse(
        'misconfigured',
        `no token of ${module} has the label "${token}"; correct token`,
      )
    case 'odd':
      return refuse('corrupt', `token "${token}" holds a key that is not as it was made`)
    case 'pkcs11':
      return ofLibrary(failure.name, token, pinFile)
  }
}

function ofLibrary(name: string, token: string, pinFile: string): CustodyError {
  if (PIN.has(name))
    return refuse('denied', `token "${token}" refuses the PIN in ${pinFile} (${name}); correct it`)
  switch (name) {
    case 'CKR_PIN_LOCKED':
    case 'CKR_PIN_EXPIRED':
      return refuse(
        'denied',
        `token "${token}" (${name}): its security officer has to set a new PIN`,
      )
    case 'CKR_USER_PIN_NOT_INITIALIZED':
      return refuse('denied', `token "${token}" has no user PIN; its security officer sets one`)
    case 'CKR_MECHANISM_INVALID':
    case 'CKR_CURVE_NOT_SUPPORTED':
    case 'CKR_TEMPLATE_INCONSISTENT':
    case 'CKR_ATTRIBUTE_TYPE_INVALID':
    case 'CKR_ATTRIBUTE_VALUE_INVALID':
      return refuse('misconfigured', `token "${token}" does not offer what is needed (${name})`)
    case 'CKR_TOKEN_WRITE_PROTECTED':
    case 'CKR_KEY_FUNCTION_NOT_PERMITTED':
    case 'CKR_ACTION_PROHIBITED':
      return refuse('denied', `token "${token}" does not permit it (${name}); see its policy`)
    default:
      return refuse('unavailable', `token "${token}" (${name}): try again`)
  }
}
