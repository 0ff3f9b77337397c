/** What keys sign when they are enrolled: that somebody has the private half, and that an earlier key hands over to the next one. */
import { tagged } from './call.ts'

/** Of whom a key is: `{scope: 'cell', owner: 'cell-a'}`. */
export interface Owner {
  readonly owner: string
  readonly scope: string
}

/**
 * Proof of possession: the new key signs whom it is for. The key itself is under the signature, since Ed25519 hashes it and a key that could
 * stand for another one (small order) is refused where it is read.
 */
export function bindMessage({ owner, scope }: Owner): Uint8Array {
  return tagged('assay/bind/v1', { owner, scope })
}

/** Hand-over: the present key signs which key (base64url) comes after it. */
export function handOverMessage({ owner, scope }: Owner, publicKey: string): Uint8Array {
  return tagged('assay/hand-over/v1', { owner, public_key: publicKey, scope })
}
