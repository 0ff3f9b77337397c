/**
 * YAML 1.2 with what Go's reader adds: numbers with underscores and other bases, merge keys, the last of keys that repeat. Scalars are
 * resolved here, so that no number goes through another library's idea of numbers.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  stringify,
} from 'yaml'
import { Decimal, integer, readNumber } from '../../value/number.ts'
import {
  define,
  entriesOf,
  get,
  isArray,
  isObject,
  objectOf,
  type PlainObject,
  type Value,
} from '../../value/value.ts'
import { type Context, type Family, fail } from '../builtin.ts'
import { onTexts } from '../texts.ts'
import { withTextKeys } from './index.ts'

class Refused extends Error {}

/** The first document; the others must be well formed too. Undefined for what is not YAML, or not JSON's kind of values. */
function read(context: Context, text: string): Value | undefined {
  const documents = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false })
  if ('empty' in documents) return null
  if (documents.some(({ errors }) => errors.length > 0)) return undefined
  const [document] = documents
  try {
    return new Reader(context).value(document?.contents, 0)
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

/** A text of aliases of aliases would otherwise grow without bound. */
const MAX_NODES = 1_000_000
const MAX_DEPTH = 1000

class Reader {
  readonly #context: Context
  /** Complete ones: nothing is inside itself. */
  readonly #anchors = new Map<string, { readonly value: Value; readonly size: number }>()
  #nodes = 0

  constructor(context: Context) {
    this.#context = context
  }

  value(node: unknown, depth: number): Value {
    const before = this.#nodes
    this.#count(1)
    if (depth > MAX_DEPTH) throw new Refused()
    if (node === null || node === undefined) return null
    if (isAlias(node)) {
      const anchored = this.#anchors.get(node.source)
      if (anchored === undefined) throw new Refused()
      this.#count(anchored.size)
      return anchored.value
    }
    const value = this.#own(node, depth)
    const { anchor } = node as Node & { readonly anchor?: string }
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#nodes - before })
    return value
  }

  #own(node: unknown, depth: number): Value {
    if (isScalar(node)) return scalar(node)
    if (isSeq(node)) return node.items.map((item) => this.value(item, depth + 1))
    if (isMap(node)) return this.#object(node.items, depth + 1)
    throw new Refused()
  }

  /** As if aliases were written out, which is what walks the value later sees. */
  #count(nodes: number): void {
    this.#context.spend(nodes)
    this.#nodes += nodes
    if (this.#nodes > MAX_NODES) throw new Refused()
  }

  /** Own members win over merged ones, wherever the merge stands. */
  #object(pairs: readonly Pair[], depth: number): PlainObject {
    const object: PlainObject = {}
    for (const { key, value } of pairs)
      if (!isMerge(key)) define(object, nameOf(this.value(key, depth)), this.value(value, depth))
    for (const { key, value } of pairs)
      if (isMerge(key)) this.#merge(object, this.value(value, depth))
    return object
  }

  #merge(object: PlainObject, value: Value): void {
    for (const from of isArray(value) ? value : [value]) {
      if (!isObject(from)) throw new Refused()
      for (const name of Object.keys(from))
        if (!Object.hasOwn(object, name)) define(object, name, get(from, name) as Value)
    }
  }
}

function isMerge(key: unknown): boolean {
  return isScalar(key) && key.type === Scalar.PLAIN && key.source === '<<'
}

/** JSON's keys are strings. */
function nameOf(key: Value): string {
  if (typeof key === 'string') return key
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean')
    return String(key)
  throw new Refused()
}

function scalar({ type, source, value, tag }: Scalar): Value {
  const text = source ?? String(value ?? '')
  if (tag === 'tag:yaml.org,2002:str' || tag === '!') return text
  if (tag === 'tag:yaml.org,2002:binary') throw new Refused()
  return type === Scalar.PLAIN || tag !== undefined ? plain(text) : text
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ...['', '~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...['true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['false', 'False', 'FALSE'].map((text) => [text, false] as const),
])

function plain(text: string): Value {
  const constant = CONSTANTS.get(text)
  if (constant !== undefined) return constant
  if (/^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/.test(text)) throw new Refused()
  if (!/^[-+.0-9]/.test(text)) return text
  const bare = text.replaceAll('_', '')
  const whole = /^[0-9+-]/.test(bare) ? integerOf(bare) : undefined
  if (whole !== undefined) return integer(whole)
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(bare)
    ? finite(Number(bare))
    : text
}

function finite(value: number): Value {
  if (!Number.isFinite(value)) throw new Refused()
  // One form for each number: beyond 2^53 it is no double.
  return readNumber(String(value)) as Value
}

/** In Go's bases: a leading zero means eight. Undefined for what no 64-bit integer holds. */
function integerOf(text: string): bigint | undefined {
  const [, sign = '', digits = ''] =
    /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(text) ?? []
  if (digits === '') return undefined
  const octal = /^0[oO]?([0-7]+)$/.exec(digits)?.[1]
  const size = BigInt(octal === undefined ? digits : `0o${octal}`)
  const value = sign === '-' ? -size : size
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined
}

/** Names with numbers in them by the numbers, as Go's writer orders them. */
const natural = new Intl.Collator('en', { numeric: true })

function write(value: Value): string {
  return stringify(withDoubles(withTextKeys(value)), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    sortMapEntries: (a, b) => natural.compare(String(a.key), String(b.key)),
    version: '1.1',
  })
}

/** OPA goes through doubles too. */
function withDoubles(value: Value): Value {
  if (value instanceof Decimal) return Number(value.toString())
  if (isArray(value)) return value.map(withDoubles)
  if (!isObject(value)) return value
  return objectOf(entriesOf(value).map(([key, member]) => [key, withDoubles(member)]))
}

export const YAML: Family = {
  'yaml.is_valid': (context, text: Value) =>
    typeof text === 'string' && read(context, text) !== undefined,
  'yaml.marshal': (_context, value: Value) => write(value),
  'yaml.unmarshal': onTexts((context, text = '') => unmarshal(context, text)),
}

function unmarshal(context: Context, text: string): Value | undefined {
  const value = read(context, text)
  return value === undefined ? fail(context, 'not YAML') : value
}
