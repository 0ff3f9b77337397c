/**
 * `.minisig` files: an untrusted comment, algorithm, key id and signature in base64, a trusted comment, and a global signature over the
 * signature and the trusted comment. What comes after the fourth line nobody reads.
 */
import { toBase64 } from '../../core/base64.ts'
import { BUFFERS, base64Of, Lines, latin1 } from './lines.ts'

/** Nothing of it is verified. The untrusted comment is left out: nothing covers it. */
export interface MinisignSignature {
  /** `prehashed` signs the file's BLAKE2b-512, `legacy` the file itself. */
  readonly algorithm: 'legacy' | 'prehashed'
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
  /** Its bytes, without prefix and line end: UTF-8 by custom only. */
  readonly trustedComment: Uint8Array
  /** Over the signature and the trusted comment. */
  readonly globalSignature: Uint8Array
}
export interface UnreadableSignature {
  readonly problem: 'malformed_signature' | 'unsupported_algorithm'
}

const UNTRUSTED = 'untrusted comment: '
const TRUSTED = 'trusted comment: '
const SIGNATURE_BYTES = 64
const BLOB_BYTES = 74
const ALGORITHMS = { ED: 'prehashed', Ed: 'legacy' } as const

/** The signature's parts, or why there are none; in the order in which minisign looks. Never throws. */
export function readSignature(file: Uint8Array): MinisignSignature | UnreadableSignature {
  const lines = new Lines(file)
  const untrusted = lines.next(BUFFERS.comment)
  const first = lines.next(BUFFERS.signature)
  const trusted = lines.next(BUFFERS.trusted)
  const last = lines.last(BUFFERS.global)
  const blob = first && base64Of(first, BLOB_BYTES)
  const trustedComment = trusted && after(TRUSTED, trusted)
  if (untrusted === undefined || after(UNTRUSTED, untrusted) === undefined) return MALFORMED
  if (blob === undefined || trustedComment === undefined || last === undefined) return MALFORMED
  const name = latin1(blob.subarray(0, 2))
  if (!isAlgorithm(name)) return { problem: 'unsupported_algorithm' }
  const globalSignature = base64Of(last, SIGNATURE_BYTES)
  if (globalSignature === undefined) return MALFORMED
  const algorithm = ALGORITHMS[name]
  const [keyId, signature] = [blob.slice(2, 10), blob.slice(10)]
  return { algorithm, keyId, signature, trustedComment, globalSignature }
}
const MALFORMED: UnreadableSignature = { problem: 'malformed_signature' }

const isAlgorithm = (name: string): name is keyof typeof ALGORITHMS =>
  Object.hasOwn(ALGORITHMS, name)

/** What follows the prefix; undefined where the line does not begin with it. */
function after(prefix: string, line: Uint8Array): Uint8Array | undefined {
  return latin1(line.subarray(0, prefix.length)) === prefix ? line.slice(prefix.length) : undefined
}

/** The bytes of a file that {@link readSignature} reads. */
export function signatureFile(signature: MinisignSignature): Uint8Array {
  const name = signature.algorithm === 'legacy' ? 'Ed' : 'ED'
  const blob = Uint8Array.of(...encoder.encode(name), ...signature.keyId, ...signature.signature)
  return Uint8Array.of(
    ...encoder.encode(`${UNTRUSTED}signature from minisign secret key\n${toBase64(blob)}\n`),
    ...encoder.encode(TRUSTED),
    ...signature.trustedComment,
    ...encoder.encode(`\n${toBase64(signature.globalSignature)}\n`),
  )
}
const encoder = new TextEncoder()
