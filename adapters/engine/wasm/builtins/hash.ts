/** Digests and encodings. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { type HostBuiltin, onTexts } from './operand.ts'

const HASHES = ['md5', 'sha1', 'sha256'] as const
const HMACS = ['md5', 'sha1', 'sha256', 'sha512'] as const

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function fromHex(text: string): string | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? utf8(Buffer.from(text, 'hex')) : undefined
}

/** Rego's strings hold any bytes, JSON's do not: what is not UTF-8 becomes U+FFFD, as it does in OPA's own answers. */
function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export const HASH: readonly (readonly [string, HostBuiltin])[] = [
  ...HASHES.map(
    (name) =>
      [
        `crypto.${name}`,
        onTexts((text = '') => createHash(name).update(text).digest('hex')),
      ] as const,
  ),
  ...HMACS.map(
    (name) =>
      [
        `crypto.hmac.${name}`,
        onTexts((text = '', key = '') => createHmac(name, key).update(text).digest('hex')),
      ] as const,
  ),
  ['crypto.hmac.equal', onTexts((a = '', b = '') => equal(a, b))],
  ['base64url.encode_no_pad', onTexts((text = '') => Buffer.from(text).toString('base64url'))],
  ['hex.decode', onTexts((text = '') => fromHex(text))],
  ['hex.encode', onTexts((text = '') => Buffer.from(text).toString('hex'))],
]
