/**
 * Strict JSON at the boundary: RFC 8259 with the restrictions of I-JSON (RFC 7493), so that every reader sees the same value. Whatever
 * is accepted is accepted again after JSON.stringify.
 */
import { JsonError, type JsonErrorCode } from './error.ts'

export type Json =
  | boolean
  | null
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

export interface JsonLimits {
  /** UTF-8 bytes; default 1 MiB. */
  readonly maxBytes?: number
  /** Objects and arrays within each other; default 32, 0 for a scalar. */
  readonly maxDepth?: number
}

/**
 * Parses one JSON value. A member named `__proto__` is a plain member.
 *
 * @throws JsonError `malformed` (not JSON, or begins with a byte order mark), `invalid_utf8`, `duplicate_key`, `lone_surrogate` (raw or
 *   escaped), `number_range` (beyond 2^53-1 in magnitude, or rounded to zero: send a decimal string), `too_deep`, `too_large`
 */
export function parseJson(source: string | Uint8Array, limits: JsonLimits = {}): Json {
  const { maxBytes = 1_048_576, maxDepth = 32 } = limits
  if (source.length > maxBytes) throw refusal('too_large', `at most ${maxBytes} bytes are read`)
  const text = typeof source === 'string' ? source : decode(source)
  // A UTF-16 unit has at most three UTF-8 bytes: short texts need no count.
  if (source === text && text.length * 3 > maxBytes && encoder.encode(text).length > maxBytes)
    throw refusal('too_large', `at most ${maxBytes} bytes are read`)
  if (!text.isWellFormed()) throw refusal('lone_surrogate', 'half a surrogate pair in the text')
  const scan = scanText(text, maxDepth)
  const value = parse(text)
  const members = countMembers(value, scan.unicodeEscapes)
  // Duplicates collapse in the value, in whatever way they were escaped.
  if (members !== scan.members) throw refusal('duplicate_key', 'an object has one name twice')
  return value
}
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function refusal(code: JsonErrorCode, what: string): JsonError {
  return new JsonError('json', code, what)
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw refusal('invalid_utf8', 'the bytes are not UTF-8')
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    // The engine's message quotes the text, which may be secret.
    const position = /at position (\d+)/.exec(String(error))?.[1]
    throw refusal('malformed', `not a JSON text${position ? `; see character ${position}` : ''}`)
  }
}

interface Scan {
  /** Colons outside strings: in a well-formed text, the number of members. */
  readonly members: number
  readonly unicodeEscapes: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Looks only at what JSON.parse hides; leaves the grammar to it. */
function scanText(text: string, maxDepth: number): Scan {
  let members = 0
  let depth = 0
  let unicodeEscapes = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) {
      for (i++; i < text.length; i++) {
        const inner = text.charCodeAt(i)
        if (inner === QUOTE) break
        if (inner === BACKSLASH && text.charCodeAt(++i) === 0x75) unicodeEscapes = true
      }
    } else if (unit === 0x3a) members++
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > maxDepth) throw refusal('too_deep', `at most ${maxDepth} levels are read`)
    } else if (unit === 0x7d || unit === 0x5d) depth--
    else if (unit === 0x2d && isExponent(text.charCodeAt(i - 1))) refuseUnderflow(text, i)
  }
  return { members, unicodeEscapes }
}

const isExponent = (unit: number): boolean => unit === 0x65 || unit === 0x45

/** `1e-400` would silently become zero. `minus` is the place of the exponent's sign. */
function refuseUnderflow(text: string, minus: number): void {
  let start = minus - 1
  while (start > 0 && /[0-9.]/.test(text[start - 1]!)) start--
  let end = minus + 1
  while (end < text.length && /[0-9]/.test(text[end]!)) end++
  if (Number(text.slice(start, end)) === 0 && /[1-9]/.test(text.slice(start, minus)))
    throw refusal('number_range', 'a number is too small for a double')
}

/** The members of all objects within `value`; checks its numbers and, where escapes can hide one, its strings. */
function countMembers(value: Json, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes && !value.isWellFormed()) throw refusal('lone_surrogate', 'half a surrogate pair')
    return 0
  }
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER)
      throw refusal('number_range', 'a number is beyond 2^53-1; send it as a decimal string')
    return 0
  }
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item, escapes)
    return members
  }
  const object = value as { readonly [name: string]: Json }
  for (const name of Object.keys(object)) {
    if (escapes && !name.isWellFormed()) throw refusal('lone_surrogate', 'half a surrogate pair')
    members += 1 + countMembers(object[name]!, escapes)
  }
  return members
}
