/**
 * What each verb of Go's fmt makes of an argument. OPA has four kinds: integers of 64 bits, longer integers, doubles and strings; all
 * other values come as their text. Templates have two more, of Go's own names.
 *
 * @see https://pkg.go.dev/fmt
 */
import { formatTerm } from '../../value/term.ts'
import { bytesOf } from '../texts.ts'
import { type FloatVerb, floatText } from './go-float.ts'

export type Argument =
  | { readonly type: '*big.Int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'int64'; readonly value: bigint }
  | { readonly type: 'json.Number' | 'string'; readonly value: string }

export interface Flags {
  minus: boolean
  plus: boolean
  /** `%+v` and `%#v` mean something else than the flags alone. */
  plusV: boolean
  precision: number | undefined
  sharp: boolean
  sharpV: boolean
  space: boolean
  width: number | undefined
  zero: boolean
}

export function noFlags(): Flags {
  return {
    minus: false,
    plus: false,
    plusV: false,
    precision: undefined,
    sharp: false,
    sharpV: false,
    space: false,
    width: undefined,
    zero: false,
  }
}

export function printed(flags: Flags, verb: string, argument: Argument): string {
  if (verb === 'T') return padded(flags, cut(flags, argument.type))
  return known(flags, verb, argument) ?? badVerb(flags, verb, argument)
}

function badVerb(flags: Flags, verb: string, argument: Argument): string {
  // A long integer formats itself, and says so without the pointer and without flags.
  if (argument.type === '*big.Int') return `%!${verb}(big.Int=${argument.value})`
  return `%!${verb}(${argument.type}=${known(flags, 'v', argument)})`
}

function known(flags: Flags, verb: string, argument: Argument): string | undefined {
  switch (argument.type) {
    case '*big.Int':
      return long(flags, verb, argument.value)
    case 'float64':
      return float(flags, verb, argument.value)
    case 'bool':
      return verb === 't' || verb === 'v' ? padded(flags, String(argument.value)) : undefined
    case 'int':
    case 'int64':
      return integer(flags, verb, argument.value)
    default:
      return text(flags, verb, argument.value)
  }
}

function padded(flags: Flags, content: string, zero: boolean = flags.zero): string {
  const missing = (flags.width ?? 0) - [...content].length
  if (missing <= 0) return content
  if (flags.minus) return content + ' '.repeat(missing)
  return (zero ? '0' : ' ').repeat(missing) + content
}

function cut(flags: Flags, content: string): string {
  return flags.precision === undefined ? content : [...content].slice(0, flags.precision).join('')
}

function text(flags: Flags, verb: string, value: string): string | undefined {
  switch (verb) {
    case 'q':
      return quoted(flags, value)
    case 's':
      return padded(flags, cut(flags, value))
    case 'v':
      return flags.sharpV ? quoted(flags, value) : padded(flags, cut(flags, value))
    case 'X':
    case 'x':
      return hexText(flags, verb, value)
    default:
      return undefined
  }
}

/** What a raw string literal of Go can hold. */
const RAW = /^(?:[\t\x80-\x9f]|[^\p{Cc}\x60\ufeff])*$/u

function quoted(flags: Flags, value: string): string {
  const content = cut(flags, value)
  if (flags.sharp && RAW.test(content)) return padded(flags, `\`${content}\``)
  const literal = formatTerm(content)
  return padded(flags, flags.plus ? ascii(literal) : literal)
}

function ascii(literal: string): string {
  return literal.replace(/\P{ASCII}/gu, (char) => {
    const point = char.codePointAt(0) as number
    const hex = point.toString(16)
    return point > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
  })
}

function hexText(flags: Flags, verb: string, value: string): string {
  const bytes = bytesOf(value).slice(0, flags.precision)
  if (bytes.length === 0) return padded({ ...flags, minus: false }, '')
  const prefix = flags.sharp ? `0${verb}` : ''
  const digits = Array.from(bytes, (byte) => {
    const hex = byte.toString(16).padStart(2, '0')
    return verb === 'X' ? hex.toUpperCase() : hex
  })
  return padded(flags, prefix + digits.join(flags.space ? ` ${prefix}` : ''))
}

const BASES: Readonly<Record<string, number>> = { O: 8, X: 16, b: 2, d: 10, o: 8, v: 10, x: 16 }
const MAX_RUNE = 0x10ffffn

function integer(flags: Flags, verb: string, value: bigint): string | undefined {
  const base = Object.hasOwn(BASES, verb) ? BASES[verb] : undefined
  if (base !== undefined) return digitsOf(flags, verb, value, base)
  if (verb === 'c') return padded(flags, rune(value))
  if (verb === 'q') return padded(flags, quotedRune(flags, rune(value)))
  return verb === 'U' ? unicode(flags, BigInt.asUintN(64, value)) : undefined
}

function digitsOf(flags: Flags, verb: string, value: bigint, base: number): string {
  if (flags.precision === 0 && value === 0n) return padded({ ...flags, minus: false }, '', false)
  const sign = value < 0n ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  const magnitude = (value < 0n ? -value : value).toString(base)
  const digits = verb === 'X' ? magnitude.toUpperCase() : magnitude
  const filled = flags.zero && !flags.minus ? (flags.width ?? 0) - sign.length : 0
  const wide = digits.padStart(flags.precision ?? filled, '0')
  return padded(flags, sign + prefixOf(flags, verb, wide) + wide, false)
}

function prefixOf(flags: Flags, verb: string, digits: string): string {
  if (verb === 'O') return flags.sharp && !digits.startsWith('0') ? '0o0' : '0o'
  if (!flags.sharp) return ''
  if (verb === 'o') return digits.startsWith('0') ? '' : '0'
  return verb === 'b' || verb === 'x' || verb === 'X' ? `0${verb}` : ''
}

function rune(value: bigint): string {
  const point = BigInt.asUintN(64, value) > MAX_RUNE ? 0xfffd : Number(value)
  return String.fromCodePoint(point).toWellFormed()
}

function quotedRune(flags: Flags, char: string): string {
  if (char === "'") return "'\\''"
  const inner = char === '"' ? char : formatTerm(char).slice(1, -1)
  return `'${flags.plus ? ascii(inner) : inner}'`
}

function unicode(flags: Flags, value: bigint): string {
  const digits = value.toString(16).toUpperCase()
  const point = `U+${digits.padStart(Math.max(4, flags.precision ?? 0), '0')}`
  const char = flags.sharp && value <= MAX_RUNE ? String.fromCodePoint(Number(value)) : ''
  const shown = char !== '' && (char === '"' || char === '\\' || formatTerm(char) === `"${char}"`)
  return padded(flags, shown ? `${point} '${char}'` : point, false)
}

const FLOAT_VERBS: Readonly<Record<string, FloatVerb>> = {
  E: 'E',
  F: 'f',
  G: 'G',
  X: 'X',
  b: 'b',
  e: 'e',
  f: 'f',
  g: 'g',
  v: 'g',
  x: 'x',
}

function float(flags: Flags, verb: string, value: number): string | undefined {
  const form = Object.hasOwn(FLOAT_VERBS, verb) ? FLOAT_VERBS[verb] : undefined
  if (form === undefined) return undefined
  const places = 'eEf'.includes(form) ? 6 : undefined
  const precision = flags.precision ?? places
  const plain = floatText(value, form, precision)
  const negative = plain.startsWith('-')
  const size = negative ? plain.slice(1) : plain
  const full = flags.sharp && form !== 'b' ? withPoint(size, form, precision) : size
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  if (!flags.zero || flags.minus || sign === '') return padded(flags, sign + full)
  return sign + full.padStart((flags.width ?? 0) - 1, '0')
}

/** With `#` the point is always there, and for `g` the zeros that were cut off. */
function withPoint(size: string, form: FloatVerb, precision: number | undefined): string {
  const hex = form === 'x' || form === 'X'
  const [, head = '', tail = ''] = (hex ? /^(.*?)([pP].*)?$/ : /^(.*?)([eE].*)?$/).exec(size) ?? []
  const counted = head.replace(/^[^1-9a-fA-F]*/, '').replace('.', '').length
  const significant = hex ? head.replace(/^0+/, '').replace('.', '').length : counted
  const zero = head === '0' ? 1 : 0
  const wanted = form === 'g' || form === 'G' || hex ? (precision ?? 6) : 0
  const pointed = head.includes('.') ? head : `${head}.`
  return pointed + '0'.repeat(Math.max(0, wanted - significant - zero)) + tail
}

/** A long integer formats itself: almost as the short ones do. */
function long(flags: Flags, verb: string, value: bigint): string | undefined {
  const base = verb === 's' ? 10 : Object.hasOwn(BASES, verb) ? BASES[verb] : undefined
  if (base === undefined) return undefined
  const sharp = flags.sharp || flags.sharpV
  const sign = value < 0n ? '-' : flags.plus || flags.plusV ? '+' : flags.space ? ' ' : ''
  const prefix = verb === 'O' ? '0o' : sharp && verb === 'o' ? '0' : ''
  const named = sharp && (verb === 'b' || verb === 'x' || verb === 'X') ? `0${verb}` : prefix
  const magnitude = (value < 0n ? -value : value).toString(base)
  const digits = (verb === 'X' ? magnitude.toUpperCase() : magnitude).padStart(
    flags.precision ?? 0,
    '0',
  )
  const missing = (flags.width ?? 0) - sign.length - named.length - digits.length
  if (missing <= 0) return sign + named + digits
  if (flags.minus) return sign + named + digits + ' '.repeat(missing)
  return flags.zero && flags.precision === undefined
    ? sign + named + '0'.repeat(missing) + digits
    : ' '.repeat(missing) + sign + named + digits
}
