/** minisign's files, and what stands beside them in a release. @see https://jedisct1.github.io/minisign/#signature-format */
export { type CommentField, type CommentFields, commentText, readComment } from './comment.ts'
export {
  KEY_ID_BYTES,
  type KeyParts,
  keyIdText,
  type MinisignKey,
  publicKeyFile,
  publicKeyText,
  readPublicKey,
  readPublicKeyFile,
  type UnreadableKey,
} from './key.ts'
export { MAX_CONTENT_BYTES, MAX_KEY_FILE_BYTES, MAX_SIGNATURE_BYTES } from './limits.ts'
export {
  type MinisignSignature,
  readSignature,
  signatureFile,
  type UnreadableSignature,
} from './signature.ts'
export { digestsFor, isPlainName } from './sums.ts'
export { blake2b512, globalMessage, type SignatureCheck, verifySignature } from './verify.ts'
export {
  familyOf,
  readVersion,
  type Version,
  type VersionOrder,
  versionInName,
} from './version.ts'
