/** Values as JSON text, no digit lost. */
import { Boxed } from './boxed.ts'
import { Decimal, isNumber, numberText, readNumber } from './number.ts'
import { compareStrings } from './order.ts'
import {
  type AnyObject,
  define,
  entriesOf,
  type PlainObject,
  RegoObject,
  RegoSet,
  type Value,
} from './value.ts'

/** JSON as OPA writes results: sets as sorted arrays; a key that is no string as its own JSON text, members in the order of those texts. */
export function writeJson(value: Value): string {
  if (isNumber(value)) return numberText(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  if (value instanceof RegoSet) return `[${value.sorted().map(writeJson).join(',')}]`
  const members = textEntries(value as AnyObject).map(
    ([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`,
  )
  return `{${members.join(',')}}`
}

function textEntries(object: AnyObject): readonly (readonly [string, Value])[] {
  const entries = entriesOf(object)
  if (!(object instanceof RegoObject)) return entries as readonly (readonly [string, Value])[]
  return entries
    .map(([key, value]) => [keyText(key), value] as const)
    .sort(([a], [b]) => compareStrings(a, b))
}

/** As Go writes JSON where nobody asks it otherwise: fit for HTML. */
function keyText(key: Value): string {
  if (typeof key === 'string') return key
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return writeJson(key).replace(/[<>&\u2028\u2029]/g, escaped)
}

/** Numbers that a double would round stay exact. @throws SyntaxError */
export function parseValue(text: string): Value {
  return JSON.parse(text, exactly) as Value
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  const exact = readNumber(context.source)
  if (exact === undefined)
    throw new SyntaxError('a number with an exponent beyond a thousand million')
  return exact
}

/**
 * The value as plain JSON, all containers new: what the caller changes in it reaches nobody else. A decimal becomes the nearest double, as
 * with every reader of JSON.
 *
 * @throws RangeError an integer beyond 2^53 - 1 that would lose digits without a word: the policy has to say it as a string
 */
export function toJson(value: Value): unknown {
  if (typeof value !== 'object' || value === null) return scalarJson(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Boxed) return boxedJson(value)
  // Copied as a whole, and then what is no scalar in it, as filling an empty object is slow.
  const json = { ...value } as { [key: string]: unknown }
  for (const key of Object.keys(json)) {
    const member = json[key] as Value
    // An own member called `__proto__` is own in the copy too, so this reaches no prototype.
    if (typeof member !== 'string' && typeof member !== 'boolean') json[key] = toJson(member)
  }
  return json
}

function scalarJson(value: bigint | boolean | null | number | string): unknown {
  if (typeof value === 'bigint') return wholeJson(value)
  // Not -0, which no JSON of ours says.
  return value === 0 ? 0 : value
}

/** Such as nanoseconds of whole seconds, whose digits a double writes as they are. */
function wholeJson(value: bigint): number {
  const double = Number(value)
  if (String(double) !== String(value))
    throw new RangeError('an integer beyond 2^53 - 1: answer with a string')
  return double
}

function boxedJson(value: Decimal | RegoObject | RegoSet): unknown {
  if (value instanceof RegoSet) return value.sorted().map(toJson)
  if (value instanceof Decimal) {
    const double = Number(value.toString())
    if (!Number.isFinite(double))
      throw new RangeError('a number that no double holds: answer with a string')
    return double
  }
  const json: PlainObject = {}
  for (const [key, member] of value.sorted()) define(json, keyText(key), toJson(member) as Value)
  return json
}
