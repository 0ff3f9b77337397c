/** DER, as far as certificates need it. Every length is checked before it is followed. @see ITU-T X.690 */

export class Malformed extends Error {}

/** Bounds what a certificate can cost, and how deep it can be. */
export const MAX_BYTES = 1_000_000

export interface Element {
  readonly tag: number
  /** The whole element. */
  readonly raw: Uint8Array
  readonly content: Uint8Array
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The first element. @throws Malformed */
export function elementAt(bytes: Uint8Array, offset = 0): Element {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new Malformed()
  let length = first
  let start = offset + 2
  if (first > 0x84 || first === 0x80) throw new Malformed()
  if (first > 0x80) {
    start += first - 0x80
    length = bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0)
    // Nothing longer than it must be.
    if (length < 0x80 || bytes[offset + 2] === 0) throw new Malformed()
  }
  if (start + length > bytes.length) throw new Malformed()
  return {
    tag,
    raw: bytes.subarray(offset, start + length),
    content: bytes.subarray(start, start + length),
  }
}

/** All elements, one after the other. @throws Malformed */
export function elements(bytes: Uint8Array): readonly Element[] {
  const all: Element[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const element = elementAt(bytes, offset)
    all.push(element)
    offset += element.raw.length
  }
  return all
}

/** The only element, which must have this tag. @throws Malformed */
export function only(bytes: Uint8Array, tag: number): Element {
  const element = elementAt(bytes)
  if (element.tag !== tag || element.raw.length !== bytes.length) throw new Malformed()
  return element
}

export function children(
  element: Element | undefined,
  tag: number = TAG.sequence,
): readonly Element[] {
  return elements(expected(element, tag).content)
}

export function expected(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new Malformed()
  return element
}

export function integerOf(element: Element | undefined): bigint {
  const { content } = expected(element, TAG.integer)
  if (content.length === 0) throw new Malformed()
  return BigInt.asIntN(content.length * 8, unsigned(content))
}

export function unsigned(bytes: Uint8Array): bigint {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

export function smallInteger(element: Element | undefined): number {
  const value = integerOf(element)
  if (value < 0n || value > 0x7fff_ffffn) throw new Malformed()
  return Number(value)
}

export function booleanOf(element: Element | undefined): boolean {
  const { content } = expected(element, TAG.boolean)
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new Malformed()
  return content[0] === 0xff
}

/** Without the count of unused bits in front. */
export function bitsOf(element: Element | undefined): Uint8Array {
  const { content } = expected(element, TAG.bits)
  if (content.length === 0 || content[0]! > 7) throw new Malformed()
  return content.subarray(1)
}

export function oidOf(element: Element | undefined): readonly number[] {
  return oidIn(expected(element, TAG.oid).content)
}

function oidIn(content: Uint8Array): readonly number[] {
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (arc > 0x7fff_ffff) throw new Malformed()
    if (byte & 0x80) continue
    arcs.push(arc)
    arc = 0
  }
  const [first, ...rest] = arcs
  if (first === undefined || content.at(-1)! & 0x80) throw new Malformed()
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest]
}

export function dotted(element: Element | undefined): string {
  return oidOf(element).join('.')
}

/** Any of the string types: UTF-8, or one byte a character; BMP strings have two. */
export function textIn({ tag, content }: Element): string {
  if (tag === 0x0c) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
  if (tag === 0x1e) return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(content)
  return String.fromCharCode(...content)
}

/** As RFC 3339 has it. @throws Malformed */
export function timeOf(element: Element | undefined): string {
  const text = element === undefined ? '' : textIn(element)
  const short = element?.tag === TAG.utcTime
  const pattern = short
    ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/
    : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  const [, year = '', month, day, hour, minute, second = '00'] = pattern.exec(text) ?? []
  if (year === '' || (!short && element?.tag !== TAG.generalizedTime)) throw new Malformed()
  const century = short ? (Number(year) >= 50 ? '19' : '20') : ''
  return `${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}
