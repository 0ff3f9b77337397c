/** A kernel hands out a message that it made and the signature over it side by side: here they come together. */
import { fromBase64url } from '../../../core/crypto.ts'
import { withSignature } from '../../../formats/wire/index.ts'

/** Both base64url. Undefined when they are no message and no signature. */
export function joinSigned(unsigned: string, signature: string): Uint8Array | undefined {
  const frame = fromBase64url(unsigned)
  const bytes = fromBase64url(signature)
  if (frame === undefined || bytes === undefined) return undefined
  try {
    return withSignature(frame, bytes)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
