/** Where the plugin's records lie, and those of other plugins that its facts read. */
import { sha256Hex } from '../../core/crypto.ts'

/** What a counted caveat has cost so far. @param counter the block's handle and the caveat's place in it: `<handle>/<n>` */
export const spentKey = (counter: string): string => `spent/${counter}`
/** A proof of possession that was presented; see {@link nonceId}. */
export const nonceKey = (id: string): string => `nonce/${id}`
/** A token that was presented to cell `at` and is for another one. */
export const reportedKey = (handle: string, at: string): string => `reported/${handle}/${at}`

/** A nonce is its holder's: 64 hex digits. */
export const nonceId = (holder: string, nonce: string): string => sha256Hex(`${holder}.${nonce}`)

/** Of `enrolment`. */
export const cellKey = (cell: string): string => `cell/${cell}`
/** Of `lease`. */
export const leaseKey = (lease: string): string => `lease/${lease}`
export const resourceKey = (resource: string): string => `resource/${resource}`
/** Of `announce`: what is revoked of a cell's tokens, or everywhere (`*`), and how far a foreign cell's word is known. */
export const revokedKey = (
  kind: 'key' | 'lease' | 'tenant' | 'token',
  reach: string,
  id: string,
): string => `revoked/${kind}/${reach}/${id}`
export const EVERYWHERE = '*'
export const feedKey = (cell: string): string => `feed/${cell}`

/** UTF-8 bytes: with a prefix and a handle or a cell before it, a name still fits the store's 512. */
const MAX_NAME_BYTES = 360
const encoder = new TextEncoder()

/** Whether a record can be named so. A UTF-16 unit has at most three UTF-8 bytes. */
export const fitsKey = (name: string): boolean =>
  name.length * 3 <= MAX_NAME_BYTES || encoder.encode(name).length <= MAX_NAME_BYTES
