/**
 * JSON Schema, drafts 4, 6 and 7: whether a schema is one, and where its references lead. Messages are those of OPA, since policies see
 * them. Nothing is fetched: a reference leads into the schema itself.
 *
 * @see https://json-schema.org
 */
import { compareNumbers, isInteger, isNumber } from '../../value/number.ts'
import { entriesOf, get, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import { isPattern } from '../patterns/compiled.ts'

/** The schema is none; the message says why and is for the policy. */
export class NotASchema extends Error {}

export type Draft = 4 | 6 | 7 | undefined

/** Undefined is any of them, in which what one of them knows holds. */
export function draftOf(schema: Value): Draft {
  const written = get(schema, '$schema')
  const found = /^https?:\/\/json-schema\.org\/draft-0([467])\/schema#?$/.exec(
    typeof written === 'string' ? written : '',
  )
  return found === null ? undefined : (Number(found[1]) as Draft)
}

export const TYPES: readonly string[] = [
  'array',
  'boolean',
  'integer',
  'number',
  'null',
  'object',
  'string',
]

/** @throws NotASchema */
export function checkSchema(root: Value): void {
  new Checker(root).check(root)
}

function wrongType(expected: string, given: string): never {
  throw new NotASchema(`Invalid type. Expected: ${expected}, given: ${given}`)
}

function mustBeArray(value: Value, name: string): asserts value is readonly Value[] {
  if (!isArray(value)) throw new NotASchema(`${name} must be of an array`)
}

function noSchema(name: string): never {
  if (['not', 'if', 'then', 'else'].includes(name))
    throw new NotASchema(`${name} must be of an object`)
  return wrongType('boolean/Valid Schema', name)
}

function checkEnum(values: Value): void {
  mustBeArray(values, 'enum')
  if (RegoSet.of(values).size !== values.length) throw new NotASchema('enum items must be unique')
}

class Checker {
  readonly #root: Value
  readonly #draft: Draft
  readonly #seen = new Set<Value>()

  constructor(root: Value) {
    this.#root = root
    this.#draft = draftOf(root)
  }

  check(schema: Value): void {
    if (typeof schema === 'boolean' && this.#draft !== 4) return
    if (!isObject(schema)) throw new NotASchema('Expected: Valid Schema, given: Invalid JSON')
    if (this.#seen.has(schema)) return
    this.#seen.add(schema)
    for (const name of ['$id', 'title', 'description', '$ref', 'pattern', 'format'])
      if (typeof (get(schema, name) ?? '') !== 'string') wrongType('string', name)
    this.#map(schema, 'definitions', 'Array Of Schemas')
    const reference = get(schema, '$ref')
    if (typeof reference === 'string') this.check(resolve(this.#root, reference))
    else this.#keywords(schema)
  }

  #keywords(schema: Value): void {
    checkTypes(get(schema, 'type'))
    this.#children(schema)
    for (const name of ['minimum', 'maximum', 'multipleOf']) checkNumber(schema, name)
    checkExclusive(schema, 'exclusiveMinimum', 'minimum', this.#draft)
    checkExclusive(schema, 'exclusiveMaximum', 'maximum', this.#draft)
    for (const name of ['Length', 'Properties', 'Items']) checkSizes(schema, name)
    const pattern = get(schema, 'pattern')
    if (typeof pattern === 'string' && !isPattern(pattern))
      throw new NotASchema('pattern must be a valid regex')
    if (typeof (get(schema, 'uniqueItems') ?? true) !== 'boolean')
      throw new NotASchema('uniqueItems must be of a boolean')
    checkRequired(get(schema, 'required'))
    checkEnum(get(schema, 'enum') ?? [])
  }

  #children(schema: Value): void {
    if (!isObject(get(schema, 'properties') ?? {}))
      throw new NotASchema('Properties must be of type object')
    this.#map(schema, 'properties', 'object')
    this.#map(schema, 'patternProperties', 'object')
    for (const [pattern] of entriesOf((get(schema, 'patternProperties') ?? {}) as never))
      if (!isPattern(pattern as string)) throw new NotASchema(`Invalid regex pattern '${pattern}'`)
    for (const name of [
      'additionalProperties',
      'additionalItems',
      'propertyNames',
      'contains',
      'not',
      'if',
      'then',
      'else',
    ]) {
      const child = get(schema, name)
      if (child === undefined || typeof child === 'boolean') continue
      if (!isObject(child)) noSchema(name)
      this.check(child)
    }
    for (const name of ['oneOf', 'anyOf', 'allOf']) {
      const children = get(schema, name) ?? []
      mustBeArray(children, name)
      for (const child of children) this.check(child)
    }
    const items = get(schema, 'items')
    if (items !== undefined) for (const item of isArray(items) ? items : [items]) this.#item(item)
    if (!isObject(get(schema, 'dependencies') ?? {}))
      throw new NotASchema('dependencies must be of type object')
    for (const [, dependency] of entriesOf((get(schema, 'dependencies') ?? {}) as never)) {
      if (!isArray(dependency)) this.check(dependency)
      else if (!dependency.every((name) => typeof name === 'string'))
        throw new NotASchema('Dependency must be of type Schema Or Array Of Strings')
    }
  }

  #item(item: Value): void {
    if (typeof item !== 'boolean' && !isObject(item))
      wrongType('Valid Schema/Array Of Schemas', 'items')
    this.check(item)
  }

  #map(schema: Value, name: string, expected: string): void {
    const children = get(schema, name) ?? {}
    if (!isObject(children)) wrongType(expected, name)
    for (const [, child] of entriesOf(children)) this.check(child)
  }
}

/** A JSON pointer behind a hash, or the `$id` of a schema within the root. @throws NotASchema */
export function resolve(root: Value, reference: string): Value {
  const [document = '', fragment = ''] = reference.split('#', 2)
  const base = document === '' || document === get(root, '$id') ? root : identified(root, document)
  const plain = fragment === '' || fragment.startsWith('/')
  const target = plain ? at(base, fragment) : identified(root, `#${fragment}`)
  if (target === undefined) throw new NotASchema('a reference that does not lead into the schema')
  return target
}

function at(base: Value | undefined, pointer: string): Value | undefined {
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) =>
      name.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce<Value | undefined>(
    (inner, name) => get(inner, isArray(inner) ? Number(name) : name),
    base,
  )
}

function identified(schema: Value, id: string): Value | undefined {
  if (isArray(schema))
    return schema.map((one) => identified(one, id)).find((one) => one !== undefined)
  if (!isObject(schema)) return undefined
  if (get(schema, '$id') === id || get(schema, 'id') === id) return schema
  return entriesOf(schema)
    .map(([, child]) => identified(child, id))
    .find((one) => one !== undefined)
}

function checkTypes(value: Value | undefined): void {
  const types = value === undefined ? [] : isArray(value) ? value : [value]
  for (const [i, type] of types.entries()) {
    if (typeof type !== 'string') wrongType('type', 'string/Array Of Strings')
    if (!TYPES.includes(type))
      throw new NotASchema(
        `has a primitive type that is NOT VALID -- given: /${type}/ Expected valid values are:[${TYPES.join(' ')}]`,
      )
    if (types.indexOf(type) !== i) throw new NotASchema(`${type} type is duplicated`)
  }
}

function checkNumber(schema: Value, name: string): void {
  const value = get(schema, name)
  if (value === undefined) return
  if (!isNumber(value)) {
    if (name === 'multipleOf') wrongType('Number', name)
    throw new NotASchema(`${name} must be of a Number`)
  }
  if (name === 'multipleOf' && compareNumbers(value, 0) <= 0)
    throw new NotASchema('multipleOf must be strictly greater than 0')
}

/** Draft 4 has a boolean beside the bound, later drafts a bound of its own. */
function checkExclusive(schema: Value, name: string, bound: string, draft: Draft): void {
  const value = get(schema, name)
  if (value === undefined || (isNumber(value) && draft !== 4)) return
  if (typeof value !== 'boolean' || (draft ?? 4) !== 4)
    wrongType(draft === undefined ? 'boolean/number' : draft === 4 ? 'boolean' : 'number', name)
  if (get(schema, bound) === undefined)
    throw new NotASchema(`${name} cannot be used without ${bound}`)
}

function checkSizes(schema: Value, name: string): void {
  const [min, max] = [`min${name}`, `max${name}`].map((key) => {
    const size = get(schema, key)
    if (size === undefined) return undefined
    if (!isNumber(size) || !isInteger(size)) throw new NotASchema(`${key} must be of an integer`)
    if (compareNumbers(size, 0) < 0)
      throw new NotASchema(`${key} must be greater than or equal to 0`)
    return size
  })
  if (name !== 'Items' && min !== undefined && max !== undefined && compareNumbers(min, max) > 0)
    throw new NotASchema(`min${name} cannot be greater than max${name}`)
}

function checkRequired(value: Value | undefined): void {
  const names = value ?? []
  mustBeArray(names, 'required')
  for (const [i, name] of names.entries()) {
    if (typeof name !== 'string') wrongType('string', 'required')
    if (names.indexOf(name) !== i) throw new NotASchema('required items must be unique')
  }
}
