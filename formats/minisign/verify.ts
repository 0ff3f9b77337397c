/** Whether a signature file is a key's over a file and over its own trusted comment. */
import { blake2b } from '@noble/hashes/blake2.js'
import { sameBytes, type VerifyKey, verifyEd25519 } from '../../core/crypto.ts'
import type { MinisignKey } from './key.ts'
import type { MinisignSignature } from './signature.ts'

/** 64 bytes: what a prehashed signature covers. */
export function blake2b512(file: Uint8Array): Uint8Array {
  return blake2b(file, { dkLen: 64 })
}

export type SignatureCheck =
  | 'key_id_mismatch'
  | 'signature_invalid'
  | 'trusted_comment_invalid'
  | 'valid'

/**
 * The first check that fails, in minisign's order: key id, file, trusted comment.
 *
 * @param signed what the signature's algorithm covers: the file's {@link blake2b512}, or for a legacy signature the file itself
 */
export function verifySignature(
  signature: MinisignSignature,
  { key, keyId }: MinisignKey,
  signed: Uint8Array,
): SignatureCheck {
  if (!sameBytes(signature.keyId, keyId)) return 'key_id_mismatch'
  if (!verifyEd25519(key, signed, signature.signature)) return 'signature_invalid'
  return isGlobal(signature, key) ? 'valid' : 'trusted_comment_invalid'
}

function isGlobal(signature: MinisignSignature, key: VerifyKey): boolean {
  return verifyEd25519(key, globalMessage(signature), signature.globalSignature)
}

/** What the global signature covers. */
export function globalMessage({
  signature,
  trustedComment,
}: Pick<MinisignSignature, 'signature' | 'trustedComment'>): Uint8Array {
  const message = new Uint8Array(signature.length + trustedComment.length)
  message.set(signature)
  message.set(trustedComment, signature.length)
  return message
}
