/** JSON as text. */
import { parseValue, writeJson } from '../../value/json.ts'
import { entriesOf, isArray, isObject, objectOf, RegoSet, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail, typeFailure } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { onTexts } from '../texts.ts'

/** Deeper texts are refused: whatever walks a value later must come to its end. */
const MAX_DEPTH = 1000

/** Undefined for what is not JSON. */
export function readJson(text: string): Value | undefined {
  if (isDeep(text) || hasHugeExponent(text)) return undefined
  try {
    return parseValue(/\\u[dD][89a-fA-F]/.test(text) ? wellFormed(text) : text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isJson(text: string): boolean {
  if (isDeep(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** Half of a surrogate pair is no character: U+FFFD, as in OPA. */
function wellFormed(text: string): string {
  return text.replace(
    /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/gs,
    (found, high) =>
      found[1] === 'u' && high === undefined && /^\\u[dD][89a-fA-F]/.test(found)
        ? '\\ufffd'
        : found,
  )
}

/** OPA computes with no number beyond 2^±100,000. */
function hasHugeExponent(text: string): boolean {
  if (!/\d[eE][+-]?\d{4}/.test(text)) return false
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[\d.]+[eE][+-]?\d+/gs)) {
    if (token.startsWith('"')) continue
    const [digits = '', power = ''] = token.split(/[eE]/)
    const [whole = '', fraction = ''] = digits.split('.')
    const significant = (whole + fraction).replace(/^0+/, '')
    const size = Number(power) - fraction.length + significant.length
    if (significant !== '' && Math.abs(size) > 30_103) return true
  }
  return false
}

function isDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH) return false
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/gs)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth > MAX_DEPTH) return true
  }
  return false
}

/** As Go writes JSON: nothing in it ends a script element. */
export function marshal(value: Value): string {
  return escapeHtml(writeJson(withTextKeys(value)))
}

/** Keys that are no strings become their JSON text, which is what members are then ordered by. */
export function withTextKeys(value: Value): Value {
  if (isArray(value)) return value.map(withTextKeys)
  if (value instanceof RegoSet) return value.sorted().map(withTextKeys)
  if (!isObject(value)) return value
  return objectOf(
    entriesOf(value).map(([key, member]) => [
      typeof key === 'string' ? key : escapeHtml(writeJson(key)),
      withTextKeys(member),
    ]),
  )
}

function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

interface Layout {
  readonly prefix: string
  readonly indent: string
}

/** Members on lines of their own, each with the prefix; empty containers stay on one. */
function indented(context: Context, value: Value, { prefix, indent }: Layout, depth = 0): string {
  const items = isArray(value)
    ? value.map((item) => ['', item] as const)
    : value instanceof RegoSet
      ? value.sorted().map((item) => ['', item] as const)
      : isObject(value)
        ? entriesOf(value).map(([key, item]) => [`${marshal(key)}: `, item] as const)
        : undefined
  if (items === undefined || items.length === 0) return marshal(value)
  const inner = `\n${prefix}${indent.repeat(depth + 1)}`
  context.spend(Math.ceil((items.length * inner.length) / 100))
  const lines = items.map(
    ([key, item]) => inner + key + indented(context, item, { prefix, indent }, depth + 1),
  )
  const [open, close] = isArray(value) || value instanceof RegoSet ? '[]' : '{}'
  return `${open}${lines.join(',')}\n${prefix}${indent.repeat(depth)}${close}`
}

const marshalWithOptions: Builtin = (context, value: Value, options: Value) => {
  if (!isObject(options)) return wrongType(context, 2, options, 'object')
  const layout: { prefix: string; indent: string } = { prefix: '', indent: '\t' }
  let pretty: boolean | undefined
  for (const [name, option] of entriesOf(options)) {
    if ((name === 'prefix' || name === 'indent') && typeof option === 'string')
      layout[name] = option
    else if (name === 'pretty' && typeof option === 'boolean') pretty = option
    else return typeFailure(context, 'operand 2 must have the members prefix, indent and pretty')
  }
  const names = entriesOf(options).map(([name]) => name)
  if (!(pretty ?? (names.includes('prefix') || names.includes('indent')))) return marshal(value)
  return layout.prefix + indented(context, withTextKeys(value), layout)
}

export const JSON_TEXT: Family = {
  'json.marshal': (_context, value: Value) => marshal(value),
  'json.marshal_with_options': marshalWithOptions,
  'json.unmarshal': onTexts((context, text = '') => {
    const value = readJson(text)
    return value === undefined ? fail(context, 'not JSON') : value
  }),
  'json.is_valid': (_context, text: Value) => typeof text === 'string' && isJson(text),
}
