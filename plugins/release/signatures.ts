/** A signature file as Rego sees it: checked with the key that is pinned under its key id, and with no other. */
import { fromHex } from '../../core/crypto.ts'
import {
  blake2b512,
  commentText,
  keyIdText,
  type MinisignSignature,
  readComment,
  readPublicKey,
  readSignature,
  verifySignature,
} from '../../formats/minisign/index.ts'
import type { Reader } from './reader.ts'
import type { CommentFact, PinRecord, SignatureFact } from './schema.ts'

/** What was signed, as far as the request has it. */
export interface Signed {
  /** 64 bytes. */
  readonly digest: Uint8Array | undefined
  readonly content: Uint8Array | undefined
}

export const ABSENT: SignatureFact = { check: 'absent' }

/** A file that the request carries. */
export function whole(content: Uint8Array): Signed {
  return { digest: blake2b512(content), content }
}

/** A file of which the enforcement point has told the digest. */
export function digested(digest: string, content: Uint8Array | undefined): Signed {
  return { digest: fromHex(digest), content }
}

export async function signatureFact(
  file: Uint8Array | undefined,
  signed: Signed,
  read: Reader,
): Promise<SignatureFact> {
  if (file === undefined) return ABSENT
  const signature = readSignature(file)
  if ('problem' in signature) return { check: signature.problem }
  const keyId = keyIdText(signature.keyId)
  const pin = await read.pin(keyId)
  const fact = { algorithm: signature.algorithm, key_id: keyId, ...(pin && { pin }) }
  return { ...fact, ...checked(signature, pin, signed) }
}

function checked(
  signature: MinisignSignature,
  pin: PinRecord | undefined,
  { content, digest }: Signed,
): Pick<SignatureFact, 'check' | 'comment'> {
  const key = pin && readPublicKey(pin.public_key)
  if (key === undefined || 'problem' in key) return { check: 'key_id_mismatch' }
  const covered = signature.algorithm === 'legacy' ? content : digest
  if (covered === undefined) return { check: 'content_missing' }
  const check = verifySignature(signature, key, covered)
  if (check !== 'valid') return { check }
  return { check, comment: commentFact(commentText(signature.trustedComment)) }
}

function commentFact(text: string): CommentFact {
  const { file, timestamp, unclear, version } = readComment(text)
  return {
    ...(file !== undefined && { file }),
    text,
    ...(timestamp !== undefined && { timestamp }),
    unclear,
    ...(version && { version }),
  }
}
