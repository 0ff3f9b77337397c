/** Texts: versions, units, queries of URLs, YAML, prefixes and suffixes. */
import { isIPv4, isIPv6 } from 'node:net'
import { parseDocument } from 'yaml'
import type { Json } from '../../../../core/json.ts'
import { type HostBuiltin, JsonText, onTexts, Unsupported } from './operand.ts'

interface Version {
  readonly numbers: readonly bigint[]
  readonly pre: readonly string[]
}
const NUMBER = '(0|[1-9]\\d*)'
const NAMES = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const SEMVER = new RegExp(`^v?${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${NAMES}))?(?:\\+${NAMES})?$`)

function version(text: string): Version | undefined {
  const [, major, minor, patch, names] = SEMVER.exec(text) ?? []
  if (major === undefined) return undefined
  const numbers = [major, minor, patch].map((digits) => BigInt(digits ?? ''))
  const pre = names?.split('.') ?? []
  const tooLarge = numbers.some((number) => number >= 2n ** 63n)
  return tooLarge || pre.some((name) => /^0\d+$/.test(name)) ? undefined : { numbers, pre }
}

/** Precedence, semver.org section 11. */
function compareVersions(a: string, b: string): number | undefined {
  const [left, right] = [version(a), version(b)]
  if (left === undefined || right === undefined) return undefined
  for (const [i, number] of left.numbers.entries()) {
    const other = right.numbers[i]!
    if (number !== other) return number < other ? -1 : 1
  }
  if (left.pre.length === 0 || right.pre.length === 0)
    return Math.sign(right.pre.length - left.pre.length)
  for (const [i, name] of left.pre.entries()) {
    const other = right.pre[i]
    if (other === undefined) return 1
    const order = compareNames(name, other)
    if (order !== 0) return order
  }
  return left.pre.length < right.pre.length ? -1 : 0
}

function compareNames(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => /^\d+$/.test(name))
  if (x !== y) return x ? -1 : 1
  if (x && BigInt(a) !== BigInt(b)) return BigInt(a) < BigInt(b) ? -1 : 1
  return x || a === b ? 0 : a < b ? -1 : 1
}

const POWERS = ['', 'k', 'm', 'g', 't', 'p', 'e']

/** How many a unit stands for, as a fraction. */
function scale(unit: string): readonly [bigint, bigint] | undefined {
  if (unit === 'm') return [1n, 1000n]
  const [, prefix = '', binary = ''] = /^([kKMgGtTpPeE]?)(i?)$/.exec(unit) ?? [undefined, '?']
  const power = POWERS.indexOf(prefix.toLowerCase())
  if (power < 0 || (power === 0 && binary !== '')) return undefined
  return [(binary === '' ? 1000n : 1024n) ** BigInt(power), 1n]
}

const AMOUNT = /^([+-]?)(\d*)(?:\.(\d*))?([A-Za-z]*)$/

/** An amount without an exponent, as a fraction. @throws Unsupported with one */
function amount(text: string): readonly [number: bigint, of: bigint, unit: string] | undefined {
  if (/\d[eE][+-]?\d/.test(text)) throw new Unsupported('an exponent in a quantity')
  const [, sign = '', whole = '', fraction = '', unit = ''] = AMOUNT.exec(text) ?? []
  if (whole + fraction === '') return undefined
  const number = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  return [number, 10n ** BigInt(fraction.length), unit]
}

function parseUnits(text: string): JsonText | undefined {
  const read = amount(text.replaceAll('"', ''))
  if (read === undefined) return undefined
  const [number, of, written] = read
  const unit = written.slice(0, 1) + written.slice(1).toLowerCase()
  const times = unit === 'mi' ? scale('Mi') : scale(unit)
  return times && new JsonText(decimal(number * times[0], of * times[1]))
}

/** Ten places behind the point, unless there are none at all. */
function decimal(number: bigint, of: bigint): string {
  if (number % of === 0n) return String(number / of)
  const size = number < 0n ? -number : number
  const scaled = (size * 10n ** 10n * 2n + of) / (of * 2n)
  const digits = scaled.toString().padStart(11, '0')
  return `${number < 0n ? '-' : ''}${digits.slice(0, -10)}.${digits.slice(-10)}`
}

function parseBytes(text: string): JsonText | undefined {
  const read = amount(text.toLowerCase().replaceAll('"', ''))
  if (read === undefined) return undefined
  const [number, of, unit] = read
  const short = unit.replace(/^([kmgtpe]i?)b$/, '$1')
  const times = scale(short === 'm' || short === 'mi' ? short.replace('m', 'M') : short)
  return times && new JsonText(String((number * times[0]) / (of * times[1])))
}

/** As Go escapes: everything but letters, digits and `-_.~`; a blank is `+`. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

function unescapeQuery(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/[^\0-\x7f]+/g, (chars) => encodeURIComponent(chars))
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
}

function encodeObject(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const pairs = Object.entries(value as { readonly [name: string]: Json }).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  const written = pairs.map(([name, one]) => {
    const values = Array.isArray(one) ? one : [one]
    if (!values.every((text) => typeof text === 'string')) return undefined
    return values.map((text) => `${escapeQuery(name)}=${escapeQuery(text)}`)
  })
  return written.includes(undefined) ? undefined : written.flat().join('&')
}

function decodeObject(query: string): Json | undefined {
  const found = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair.includes(';')) return undefined
    if (pair === '') continue
    const cut = pair.indexOf('=')
    const [name, value] = cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)]
    const [key, text] = [unescapeQuery(name), unescapeQuery(value)]
    if (key === undefined || text === undefined) return undefined
    found.set(key, [...(found.get(key) ?? []), text])
  }
  return Object.fromEntries(found)
}

/** @throws Unsupported for what JSON cannot hold */
function yaml(text: string): Json | undefined {
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: true })
  if (document.errors.length > 0) return undefined
  const value = document.toJS({ maxAliasCount: 100 }) as unknown
  if (/[:\s]!(?!!)|\d{16}|\d{4}-\d\d-\d\d/.test(text))
    throw new Unsupported('YAML with tags, dates or large numbers')
  return (value ?? null) as Json
}

/** One text, or an array or set of them. */
function anyMatch(matches: (text: string, part: string) => boolean): HostBuiltin {
  return (operands) => {
    const [texts, parts] = operands.map((operand) => [operand.json()].flat()) as Json[][]
    const strings = [...texts!, ...parts!]
    if (!strings.every((one) => typeof one === 'string')) return undefined
    return (texts as string[]).some((text) =>
      (parts as string[]).some((part) => matches(text, part)),
    )
  }
}

function count(text: string, part: string): number {
  return part === '' ? [...text].length + 1 : text.split(part).length - 1
}

/** By code point; overlapping ones too. */
function allIndexes(text: string, part: string): Json | undefined {
  if (part === '') return undefined
  const [points, wanted] = [[...text], [...part]]
  const found = points.flatMap((_, i) =>
    wanted.every((one, j) => points[i + j] === one) ? [i] : [],
  )
  return found
}

function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  if (isIPv4(address)) return Number(bits) <= 32 && bits !== ''
  return isIPv6(address) && !address.includes('%') && Number(bits) <= 128 && bits !== ''
}

const quoteMeta = (text: string): string => text.replace(/[*?\\[\]{}]/g, '\\$&')

export const TEXT: readonly (readonly [string, HostBuiltin])[] = [
  ['glob.quote_meta', onTexts((text = '') => quoteMeta(text))],
  ['indexof_n', onTexts((text = '', part = '') => allIndexes(text, part))],
  ['net.cidr_is_valid', onTexts((text = '') => isCidr(text))],
  ['semver.compare', onTexts((a = '', b = '') => compareVersions(a, b))],
  [
    'semver.is_valid',
    ([operand]) => {
      const text = operand!.json()
      return typeof text === 'string' && version(text) !== undefined
    },
  ],
  ['strings.any_prefix_match', anyMatch((text, part) => text.startsWith(part))],
  ['strings.any_suffix_match', anyMatch((text, part) => text.endsWith(part))],
  ['strings.count', onTexts((text = '', part = '') => count(text, part))],
  ['units.parse', onTexts((text = '') => parseUnits(text))],
  ['units.parse_bytes', onTexts((text = '') => parseBytes(text))],
  ['urlquery.decode', onTexts((text = '') => unescapeQuery(text))],
  ['urlquery.decode_object', onTexts((text = '') => decodeObject(text))],
  ['urlquery.encode', onTexts((text = '') => escapeQuery(text))],
  ['urlquery.encode_object', ([operand]) => encodeObject(operand!.json())],
  [
    'yaml.is_valid',
    onTexts((text = '') => parseDocument(text, { version: '1.1' }).errors.length === 0),
  ],
  ['yaml.unmarshal', onTexts((text = '') => yaml(text))],
]
