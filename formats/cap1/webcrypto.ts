/** Ed25519 and SHA-256 by WebCrypto, which browsers and Node have alike. */
import { fromBase64url, toBase64url } from '../../core/base64.ts'

/** Ed25519, 32 bytes each, in base64url without padding. */
export interface TokenKey {
  readonly publicKey: string
  /** The seed of RFC 8032. */
  readonly privateKey: string
}

const ALGORITHM = 'Ed25519'
/** PKCS #8 around a seed: RFC 8410 section 7. */
const PKCS8_HEAD = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/** A new pair: send the public half to the issuer (as `nk`, or as `cnf`), keep the private one. */
export async function newKey(): Promise<TokenKey> {
  const pair = (await crypto.subtle.generateKey(ALGORITHM, true, ['sign'])) as CryptoKeyPair
  const { d, x } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  return { publicKey: x as string, privateKey: d as string }
}

/** 64 bytes in base64url. @throws DOMException for a key that is not an Ed25519 private key */
export async function sign(
  privateKey: CryptoKey | string,
  message: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const key = typeof privateKey === 'string' ? await importSeed(privateKey) : privateKey
  return toBase64url(new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, message)))
}

function importSeed(seed: string): Promise<CryptoKey> {
  const pkcs8 = Uint8Array.of(...PKCS8_HEAD, ...(fromBase64url(seed) ?? []))
  return crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign'])
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** 64 lower-case hex digits. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digits = Array.from(await sha256(bytes), (byte) => byte.toString(16).padStart(2, '0'))
  return digits.join('')
}
