/**
 * The frame of a signed wire message: `"AWM1"`, flags (1 byte), the signer's public key (32), its signature (64), then the body. The
 * signature covers `"assay/wire/v1\0"`, flags, key and body exactly as they are sent, so it is checked before anything is inflated or parsed.
 * Ed25519 (RFC 8032). docs/announce.md describes the format.
 */
import { isWeakEncoding, sameBytes, type VerifyKey, verifyEd25519 } from '../../core/crypto.ts'

/** Of a whole message; what a datagram and a store's value can hold. */
export const MAX_MESSAGE_BYTES = 65_536
/** Of everything before the body. */
export const HEADER_BYTES = 101
export const MAX_BODY_BYTES: number = MAX_MESSAGE_BYTES - HEADER_BYTES
/** Bit 0 of the flags: the body is raw deflate (RFC 1951). Every other bit is 0. */
export const DEFLATED = 1

const MAGIC: readonly number[] = [0x41, 0x57, 0x4d, 0x31]
const KEY_AT = 5
const SIGNATURE_AT = 37
const TAG = new TextEncoder().encode('assay/wire/v1\0')

/** Views into the bytes that it was read from. */
export interface Frame {
  readonly flags: number
  readonly signer: Uint8Array
  readonly signature: Uint8Array
  /** As sent; nobody may look into it before {@link verifyFrame}. */
  readonly untrustedBody: Uint8Array
}
/** `unsigned`: 64 zero bytes stand where the signature should. `weak_key`: anyone can sign for the key that the message names. */
export type FrameProblem = 'malformed' | 'too_large' | 'unknown_flags' | 'unsigned' | 'weak_key'

/** The structure alone; costs about a microsecond and looks at nothing behind the header. */
export function readFrame(bytes: Uint8Array): Frame | { readonly problem: FrameProblem } {
  if (bytes.length > MAX_MESSAGE_BYTES) return { problem: 'too_large' }
  if (bytes.length <= HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte))
    return { problem: 'malformed' }
  const flags = bytes[4] as number
  if (flags > DEFLATED) return { problem: 'unknown_flags' }
  const signature = bytes.subarray(SIGNATURE_AT, HEADER_BYTES)
  if (signature.every((byte) => byte === 0)) return { problem: 'unsigned' }
  const signer = bytes.subarray(KEY_AT, SIGNATURE_AT)
  if (isWeakEncoding(signer)) return { problem: 'weak_key' }
  return { flags, signer, signature, untrustedBody: bytes.subarray(HEADER_BYTES) }
}

/** Whether the message names `key` as its signer, and it signed exactly these bytes. */
export function verifyFrame(frame: Frame, key: VerifyKey): boolean {
  const { flags, signature, signer, untrustedBody } = frame
  if (!sameBytes(signer, key.publicKey)) return false
  return verifyEd25519(key, wireMessage(flags, signer, untrustedBody), signature)
}

/** What the signer signs. */
export function wireMessage(flags: number, signer: Uint8Array, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(TAG.length + 1 + signer.length + body.length)
  message.set(TAG)
  message[TAG.length] = flags
  message.set(signer, TAG.length + 1)
  message.set(body, TAG.length + 1 + signer.length)
  return message
}

/**
 * A message without its signature, which {@link withSignature} puts in.
 *
 * @throws RangeError over {@link MAX_BODY_BYTES}, or without a body
 */
export function unsignedFrame(flags: number, signer: Uint8Array, body: Uint8Array): Uint8Array {
  if (body.length === 0 || body.length > MAX_BODY_BYTES)
    throw new RangeError(`a body has 1 to ${MAX_BODY_BYTES} bytes`)
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  bytes.set(MAGIC)
  bytes[4] = flags
  bytes.set(signer, KEY_AT)
  bytes.set(body, HEADER_BYTES)
  return bytes
}

/** @param signature 64 bytes, over {@link wireMessage} @throws RangeError for what is no frame or no signature */
export function withSignature(frame: Uint8Array, signature: Uint8Array): Uint8Array {
  if (frame.length <= HEADER_BYTES || signature.length !== HEADER_BYTES - SIGNATURE_AT)
    throw new RangeError('a signature has 64 bytes and goes into a frame')
  const bytes = Uint8Array.from(frame)
  bytes.set(signature, SIGNATURE_AT)
  return bytes
}
