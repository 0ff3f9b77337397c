/** HPKE (RFC 9180) as the port Secrets has it: every backend seals alike, and a recipient opens what any of them has sealed. */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { concatBytes } from '../../../core/crypto.ts'
import { CustodyError } from '../../../core/error.ts'
import { type SealRequest, sealInfo } from '../../../core/ports/secrets.ts'

const KEY_BYTES = 32

const suite = (): CipherSuite =>
  new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  })

/** @param who for messages @throws CustodyError `weak_key` */
export async function sealValue(
  who: string,
  request: SealRequest,
  value: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const { kem } = suite()
  try {
    const recipientPublicKey = await kem.importKey('raw', copyOf(request.recipient), true)
    const { ct, enc } = await suite().seal(
      { info: sealInfo(request), recipientPublicKey },
      value,
      NOTHING,
    )
    return concatBytes([new Uint8Array(enc), new Uint8Array(ct)])
  } catch {
    // No cause: nothing of the value may hang on an error that is logged.
    throw new CustodyError(who, 'weak_key', 'the recipient has no public key of X25519')
  }
}
const NOTHING = new Uint8Array()

/**
 * What was sealed; undefined when it was for another recipient, name, version or decision, or was changed.
 * @param privateKey X25519, 32 bytes
 */
export async function openValue(
  privateKey: Uint8Array,
  sealedAs: Pick<SealRequest, 'decision' | 'name' | 'version'>,
  sealed: Uint8Array,
): Promise<Uint8Array | undefined> {
  const { kem } = suite()
  try {
    const recipientKey = await kem.importKey('raw', copyOf(privateKey), false)
    const enc = copyOf(sealed.subarray(0, KEY_BYTES))
    const opening = { enc, info: sealInfo(sealedAs), recipientKey }
    return new Uint8Array(await suite().open(opening, copyOf(sealed.subarray(KEY_BYTES)), NOTHING))
  } catch {
    return undefined
  }
}

/** The library takes whole buffers. */
const copyOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer
