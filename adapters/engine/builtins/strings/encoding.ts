/** Bytes as texts: Base64 in its two alphabets, hexadecimal. Decoders are as strict as Go's. */
import type { Value } from '../../value/value.ts'
import { type Context, type Family, fail } from '../builtin.ts'
import { ofText } from '../operands.ts'
import { bytesOf, textOf } from '../texts.ts'

export const STANDARD: string = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
export const URL_SAFE: string = `${STANDARD.slice(0, 62)}-_`

export function encode(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3)
    const left = bytes.length - i
    text += alphabet.charAt(a >> 2) + alphabet.charAt(((a & 3) << 4) | (b >> 4))
    text += left > 1 ? alphabet.charAt(((b & 15) << 2) | (c >> 6)) : '='
    text += left > 2 ? alphabet.charAt(c & 63) : '='
  }
  return text
}

/** Line ends are skipped anywhere, the padding must be there, and bits beyond the last byte may be anything: as in Go. */
export function decode(text: string, alphabet: string): Uint8Array | undefined {
  const packed = text.replace(/[\r\n]/g, '')
  if (packed.length % 4 !== 0) return undefined
  const digits = packed.replace(/={1,2}$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let buffer = 0
  let size = 0
  let at = 0
  for (const digit of digits) {
    const value = alphabet.indexOf(digit)
    if (value < 0) return undefined
    buffer = ((buffer << 6) | value) & 0xffff
    size += 6
    if (size < 8) continue
    size -= 8
    bytes[at++] = (buffer >> size) & 255
  }
  return bytes
}

function decoded(context: Context, bytes: Uint8Array | undefined): Value | undefined {
  return bytes === undefined ? fail(context, 'illegal base64 data') : textOf(bytes)
}

/** The padding may be left out. */
export function decodeUrlSafe(text: string): Uint8Array | undefined {
  if (text.endsWith('=')) return decode(text, URL_SAFE)
  const length = bytesOf(text).length % 4
  return length === 1 ? undefined : decode(text + '='.repeat((4 - length) % 4), URL_SAFE)
}

function decodeHex(context: Context, text: string): Value | undefined {
  if (!/^(?:[\da-fA-F]{2})*$/.test(text)) return fail(context, 'illegal hexadecimal data')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return textOf(bytes)
}

function encodeHex(text: string): string {
  return Array.from(bytesOf(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export const ENCODING: Family = {
  'base64.encode': ofText((_context, text) => encode(bytesOf(text), STANDARD)),
  'base64.decode': ofText((context, text) => decoded(context, decode(text, STANDARD))),
  'base64.is_valid': (_context, text: Value) =>
    typeof text === 'string' && decode(text, STANDARD) !== undefined,
  'base64url.encode': ofText((_context, text) => encode(bytesOf(text), URL_SAFE)),
  'base64url.encode_no_pad': ofText((_context, text) =>
    encode(bytesOf(text), URL_SAFE).replace(/=+$/, ''),
  ),
  'base64url.decode': ofText((context, text) => decoded(context, decodeUrlSafe(text))),
  'hex.encode': ofText((_context, text) => encodeHex(text)),
  'hex.decode': ofText((context, text) => decodeHex(context, text)),
}
