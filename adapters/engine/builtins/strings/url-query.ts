/** Query strings of URLs, escaped and read as Go's net/url does. */

import { writeJson } from '../../value/json.ts'
import { compareStrings } from '../../value/order.ts'
import { define, entriesOf, isObject, type PlainObject, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail, typeFailure } from '../builtin.ts'
import { elementsOf, ofText, wrongType } from '../operands.ts'
import { bytesOf, textOf } from '../texts.ts'

const KEPT = /[\w.~-]/

export function escaped(text: string): string {
  let result = ''
  for (const byte of bytesOf(text)) {
    const char = String.fromCharCode(byte)
    if (byte < 0x80 && KEPT.test(char)) result += char
    else if (char === ' ') result += '+'
    else result += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return result
}

/** Undefined where a percent sign has no two digits behind it. */
function unescaped(text: string): string | undefined {
  if (/%(?![\da-fA-F]{2})/.test(text)) return undefined
  const blanks = text.replaceAll('+', ' ')
  if (!blanks.includes('%')) return blanks
  const bytes: number[] = []
  for (const part of blanks.match(/%[\da-fA-F]{2}|[^%]+/g) ?? []) {
    if (part.startsWith('%')) bytes.push(Number.parseInt(part.slice(1), 16))
    else for (const byte of bytesOf(part)) bytes.push(byte)
  }
  return textOf(Uint8Array.from(bytes))
}

/** Names in order, each with all its values. */
const encodeObject: Builtin = (context, object: Value) => {
  if (!isObject(object)) return wrongType(context, 1, object, 'object')
  const named: (readonly [name: string, values: readonly Value[]])[] = []
  for (const [key, value] of entriesOf(object)) {
    const values = typeof value === 'string' ? [value] : elementsOf(value)
    if (values === undefined || !values.every((one) => typeof one === 'string'))
      return typeFailure(context, 'operand 1 values must be string, array[string], or set[string]')
    named.push([typeof key === 'string' ? key : writeJson(key), values])
  }
  return named
    .sort(([a], [b]) => compareStrings(a, b))
    .flatMap(([name, values]) =>
      values.map((value) => `${escaped(name)}=${escaped(value as string)}`),
    )
    .join('&')
}

function decodeObject(context: Context, query: string): Value | undefined {
  const object: { [name: string]: string[] } = Object.create(null)
  for (const part of query.split('&')) {
    if (part === '') continue
    if (part.includes(';')) return fail(context, 'invalid semicolon separator in query')
    const [name = ''] = part.split('=', 1)
    const key = unescaped(name)
    const value = unescaped(part.slice(name.length + 1))
    if (key === undefined || value === undefined) return fail(context, 'invalid URL escape')
    const values = object[key]
    if (values === undefined) object[key] = [value]
    else values.push(value)
  }
  const result: PlainObject = {}
  for (const [key, values] of Object.entries(object)) define(result, key, values)
  return result
}

export const URL_QUERY: Family = {
  'urlquery.encode': ofText((_context, text) => escaped(text)),
  'urlquery.decode': ofText(
    (context, text) => unescaped(text) ?? fail(context, 'invalid URL escape'),
  ),
  'urlquery.encode_object': encodeObject,
  'urlquery.decode_object': ofText((context, query) => decodeObject(context, query)),
}
