/** Strict base64 and base64url (RFC 4648): one text for each sequence of bytes. Imports nothing, so that any page can load it. */

/** Standard alphabet, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD) + '='.repeat((3 - (bytes.length % 3)) % 3)
}

/** Undefined unless `text` is exactly what {@link toBase64} gives for some bytes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return decode(text, text.length - padding, STANDARD)
}

/** URL alphabet, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE)
}

/** Undefined unless `text` is exactly what {@link toBase64url} gives for some bytes. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  return decode(text, text.length, URL_SAFE)
}

interface Alphabet {
  /** Two characters for each value of 12 bits. */
  readonly pairs: readonly string[]
  readonly characters: string
  /** ASCII character to value; {@link NO_DIGIT} for those that stand for none. */
  readonly values: Uint8Array
}
const NO_DIGIT = 0xff
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const STANDARD: Alphabet = alphabet(`${LETTERS}+/`)
const URL_SAFE: Alphabet = alphabet(`${LETTERS}-_`)

function alphabet(characters: string): Alphabet {
  const each = [...characters]
  const values = new Uint8Array(128).fill(NO_DIGIT)
  for (const [value, character] of each.entries()) values[character.charCodeAt(0)] = value
  return { characters, pairs: each.flatMap((high) => each.map((low) => high + low)), values }
}

function encode(bytes: Uint8Array, { pairs, characters }: Alphabet): string {
  let text = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += pairs[group >> 12]! + pairs[group & 0xfff]!
  }
  if (i + 1 === bytes.length) text += pairs[bytes[i]! << 4]!
  else if (i + 2 === bytes.length) {
    const group = (bytes[i]! << 10) | (bytes[i + 1]! << 2)
    text += pairs[group >> 6]! + characters[group & 63]!
  }
  return text
}

/** Undefined for another character, a length that no bytes have, and last bits that are not zero. */
function decode(
  text: string,
  length: number,
  { values }: Alphabet,
): Uint8Array<ArrayBuffer> | undefined {
  if (length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((length * 3) / 4))
  let bits = 0
  let pending = 0
  let at = 0
  for (let i = 0; i < length; i++) {
    const value = values[text.charCodeAt(i)] ?? NO_DIGIT
    if (value === NO_DIGIT) return undefined
    pending = ((pending << 6) | value) & 0x3fff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = pending >> bits
    }
  }
  return (pending & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
