/**
 * A small closed schema language for facts and effects: each schema checks a value and says itself as JSON Schema 2020-12. Objects are
 * closed (an unknown member is a problem) and every size is bounded.
 */
import type { Json } from './json.ts'

export interface Schema<T> {
  readonly json: { readonly [key: string]: Json }
  /** Undefined when `value` conforms, else where it does not (a JSON Pointer and what was expected). Reads each member once. */
  problem(value: unknown, at: string): string | undefined
  /** Never set; carries the type. */
  readonly type?: T
}
export type Infer<S> = S extends Schema<infer T> ? T : never

type Fields = Readonly<Record<string, Schema<unknown>>>
type ObjectOf<Required extends Fields, Optional extends Fields> = {
  readonly [K in keyof Required]: Infer<Required[K]>
} & { readonly [K in keyof Optional]?: Infer<Optional[K]> }

const expected = (at: string, what: string): string => `${at || '/'}: expected ${what}`
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `maxLength` counts UTF-16 units; default 1,024. */
function string(options: { maxLength?: number; pattern?: RegExp } = {}): Schema<string> {
  const { maxLength = 1024, pattern } = options
  return {
    json: { type: 'string', maxLength, ...(pattern ? { pattern: pattern.source } : {}) },
    problem: (value, at) =>
      typeof value === 'string' && value.length <= maxLength && (!pattern || pattern.test(value))
        ? undefined
        : expected(
            at,
            `a string of at most ${maxLength} characters${pattern ? ` like ${pattern.source}` : ''}`,
          ),
  }
}

/** A safe integer: larger ones travel as decimal strings. */
function integer(options: { min?: number; max?: number } = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options
  return {
    json: { type: 'integer', minimum: min, maximum: max },
    problem: (value, at) =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
        ? undefined
        : expected(at, `an integer from ${min} to ${max}`),
  }
}

function boolean(): Schema<boolean> {
  return {
    json: { type: 'boolean' },
    problem: (value, at) => (typeof value === 'boolean' ? undefined : expected(at, 'a boolean')),
  }
}

function literal<const T extends string>(...values: readonly T[]): Schema<T> {
  return {
    json: { enum: [...values] },
    problem: (value, at) =>
      values.includes(value as T) ? undefined : expected(at, `one of ${values.join(', ')}`),
  }
}

/** `maxItems` defaults to 1,024. */
function array<T>(item: Schema<T>, options: { maxItems?: number } = {}): Schema<readonly T[]> {
  const { maxItems = 1024 } = options
  return {
    json: { type: 'array', items: item.json, maxItems },
    problem(value, at) {
      if (!Array.isArray(value) || value.length > maxItems)
        return expected(at, `an array of at most ${maxItems} items`)
      for (let i = 0; i < value.length; i++) {
        const problem = item.problem(value[i], `${at}/${i}`)
        if (problem !== undefined) return problem
      }
      return undefined
    },
  }
}

function object<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional: O = {} as O,
): Schema<ObjectOf<R, O>> {
  const known = Object.entries({ ...required, ...optional })
  const names = known.map(([name]) => name)
  const schemas = known.map(([, schema]) => schema)
  const isKnown = new Set(names)
  return {
    json: {
      type: 'object',
      properties: Object.fromEntries(known.map(([name, schema]) => [name, schema.json])),
      required: Object.keys(required),
      additionalProperties: false,
    },
    problem(value, at) {
      if (!isObject(value)) return expected(at, 'an object')
      // Every request comes through here: no lists of names, no iterators.
      for (const name in value)
        if (!isKnown.has(name) && Object.hasOwn(value, name))
          return expected(`${at}/${name}`, 'no such member')
      for (let i = 0; i < names.length; i++) {
        const name = names[i]!
        if (!Object.hasOwn(value, name)) {
          if (Object.hasOwn(required, name)) return expected(`${at}/${name}`, 'a value')
          continue
        }
        const problem = schemas[i]!.problem(value[name], `${at}/${name}`)
        if (problem !== undefined) return problem
      }
      return undefined
    },
  }
}

/** Any names, one type of value; at most `maxMembers` (default 256). */
function record<T>(
  member: Schema<T>,
  options: { maxMembers?: number } = {},
): Schema<{ readonly [name: string]: T }> {
  const { maxMembers = 256 } = options
  return {
    json: { type: 'object', additionalProperties: member.json, maxProperties: maxMembers },
    problem(value, at) {
      if (!isObject(value)) return expected(at, 'an object')
      const names = Object.keys(value)
      if (names.length > maxMembers) return expected(at, `at most ${maxMembers} members`)
      for (const name of names) {
        const problem = member.problem(value[name], `${at}/${name}`)
        if (problem !== undefined) return problem
      }
      return undefined
    },
  }
}

/** Any JSON value up to `maxDepth` (default 16): null, booleans, finite numbers, strings, plain arrays and objects; nothing else. */
function json(options: { maxDepth?: number } = {}): Schema<Json> {
  const { maxDepth = 16 } = options
  const walk = (value: unknown, at: string, depth: number): string | undefined => {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined
    if (typeof value === 'number')
      return Number.isFinite(value) ? undefined : expected(at, 'a finite number')
    if (depth === 0) return expected(at, `at most ${maxDepth} levels`)
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const problem = walk(value[i], `${at}/${i}`, depth - 1)
        if (problem !== undefined) return problem
      }
      return undefined
    }
    if (
      !isObject(value) ||
      (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null)
    ) {
      return expected(at, 'a JSON value')
    }
    for (const name of Object.keys(value)) {
      const problem = walk(value[name], `${at}/${name}`, depth - 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  return { json: {}, problem: (value, at) => walk(value, at, maxDepth) }
}

export const schema: {
  readonly array: typeof array
  readonly boolean: typeof boolean
  readonly integer: typeof integer
  readonly json: typeof json
  readonly literal: typeof literal
  readonly object: typeof object
  readonly record: typeof record
  readonly string: typeof string
} = { array, boolean, integer, json, literal, object, record, string }
