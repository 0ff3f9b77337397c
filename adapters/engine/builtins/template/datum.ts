/** What a template computes with: Go's values, as they come of JSON. */

import { isNumber, numberText } from '../../value/number.ts'
import { compareStrings } from '../../value/order.ts'
import { formatTerm } from '../../value/term.ts'
import { type AnyObject, entriesOf, isArray, type Value } from '../../value/value.ts'
import { floatText } from '../strings/go-float.ts'
import { Refused } from './lexer.ts'

/** A number of the policy: to Go's templates a text, and true even where it is zero. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Undefined is no value at all, as a member that is not there. A bigint is Go's int, a number its float64. */
export type Datum =
  | bigint
  | boolean
  | DatumMap
  | JsonNumber
  | null
  | number
  | readonly Datum[]
  | string
  | undefined

export interface DatumMap extends ReadonlyMap<string, Datum> {}

/**
 * OPA hands variables over as the text that it prints for them, read as JSON: sets, keys that are no strings, and characters that Go
 * escapes in its own way are refused.
 *
 * @throws Refused
 */
export function variablesOf(object: AnyObject): Datum {
  try {
    JSON.parse(formatTerm(object))
  } catch {
    throw new Refused('variables that are no JSON')
  }
  return datumOf(object)
}

function datumOf(value: Value): Datum {
  if (isNumber(value)) return new JsonNumber(numberText(value))
  if (typeof value !== 'object' || value === null) return value
  if (isArray(value)) return value.map(datumOf)
  return new Map(
    entriesOf(value as AnyObject).map(([key, member]) => [key as string, datumOf(member)]),
  )
}

export function isMap(datum: Datum): datum is DatumMap {
  return datum instanceof Map
}

export function isList(datum: Datum): datum is readonly Datum[] {
  return Array.isArray(datum)
}

/** As `%v` prints it. */
export function shown(datum: Datum): string {
  if (datum === null || datum === undefined) return '<nil>'
  if (datum instanceof JsonNumber) return datum.text
  if (typeof datum === 'number') return floatText(datum, 'g', undefined)
  if (isList(datum)) return `[${datum.map(shown).join(' ')}]`
  if (isMap(datum))
    return `map[${keysOf(datum)
      .map((key) => `${key}:${shown(datum.get(key))}`)
      .join(' ')}]`
  return String(datum)
}

/** In Go's order: by code point. */
export function keysOf(map: DatumMap): readonly string[] {
  return [...map.keys()].sort(compareStrings)
}

/** What an `if` takes for true. */
export function isTrue(datum: Datum): boolean {
  if (datum instanceof JsonNumber) return datum.text !== ''
  if (isList(datum)) return datum.length > 0
  if (isMap(datum)) return datum.size > 0
  return Boolean(datum)
}
