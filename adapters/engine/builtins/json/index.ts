/** JSON as text. */
import { parseValue, writeJson } from '../../value/json.ts'
import {
  type AnyObject,
  entriesOf,
  isArray,
  isObject,
  RegoSet,
  type Value,
} from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail, typeFailure } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { onTexts } from '../texts.ts'

/** Deeper texts are refused: whatever walks a value later must come to its end. */
const MAX_DEPTH = 1000

/** Undefined for what is not JSON. */
export function readJson(text: string): Value | undefined {
  if (isDeep(text)) return undefined
  try {
    return parseValue(/\\u[dD][89a-fA-F]/.test(text) ? wellFormed(text) : text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
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
  return escapeHtml(writeJson(value))
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
        ? entriesOf(value as AnyObject).map(([key, item]) => [`${keyJson(key)}: `, item] as const)
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

function keyJson(key: Value): string {
  return marshal(typeof key === 'string' ? key : writeJson(key))
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
  return layout.prefix + indented(context, value, layout)
}

export const JSON_TEXT: Family = {
  'json.marshal': (_context, value: Value) => marshal(value),
  'json.marshal_with_options': marshalWithOptions,
  'json.unmarshal': onTexts((context, text = '') => {
    const value = readJson(text)
    return value === undefined ? fail(context, 'not JSON') : value
  }),
  'json.is_valid': (_context, text: Value) =>
    typeof text === 'string' && readJson(text) !== undefined,
}
