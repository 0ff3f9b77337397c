/** Digests and message authentication. */
import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Family } from '../builtin.ts'
import { bytesOf, onTexts } from '../texts.ts'

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512'

const HASHES = { md5, sha1, sha256, sha384, sha512 } as const

export function digest(name: HashName, bytes: Uint8Array): Uint8Array {
  return HASHES[name](bytes)
}

export function mac(name: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hmac(HASHES[name], key, bytes)
}

/** Takes as long whatever the bytes are, so that an answer's time tells nothing of a secret. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [i, byte] of a.entries()) difference |= byte ^ b[i]!
  return difference === 0
}

function digestOf(name: HashName): Family[string] {
  return onTexts((_context, text = '') => bytesToHex(digest(name, bytesOf(text))))
}

function macOf(name: HashName): Family[string] {
  return onTexts((_context, text = '', key = '') =>
    bytesToHex(mac(name, bytesOf(key), bytesOf(text))),
  )
}

export const DIGESTS: Family = {
  'crypto.md5': digestOf('md5'),
  'crypto.sha1': digestOf('sha1'),
  'crypto.sha256': digestOf('sha256'),
  'crypto.hmac.md5': macOf('md5'),
  'crypto.hmac.sha1': macOf('sha1'),
  'crypto.hmac.sha256': macOf('sha256'),
  'crypto.hmac.sha512': macOf('sha512'),
  'crypto.hmac.equal': onTexts((_context, a = '', b = '') => sameBytes(bytesOf(a), bytesOf(b))),
}
