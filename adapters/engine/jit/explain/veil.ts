/**
 * What an explanation may not show. A mask names paths of the input; a value is hidden where it lies at or below one, where it was computed
 * from one, and wherever it equals or contains what lies there: a rule may have carried it to another place.
 */
import type { Json } from '../../../../core/json.ts'
import { Decimal } from '../../value/number.ts'
import {
  type AnyObject,
  define,
  entriesOf,
  isArray,
  isObject,
  isSet,
  type PlainObject,
  type Value,
} from '../../value/value.ts'
import type { Saw } from './explanation.ts'
import { MEMBER, type Origin, type Segment } from './origins.ts'

export interface Masks {
  /** Everything: the rules that mask could not be asked. */
  readonly everything?: boolean
  /** Paths below `input`, a name or an index each. */
  readonly paths: readonly (readonly string[])[]
  /** What lies there, and what was masked elsewhere. */
  readonly values: readonly Json[]
}

export const NO_MASKS: Masks = { paths: [], values: [] }

export type Shown = Omit<Saw, 'missing' | 'ref'>

/** Of a value as JSON text. */
const MAX_TEXT = 400
const HIDDEN = '(hidden)'
/** A shorter text stands in too many others by chance: those it hides only where they are equal. */
const MIN_PART = 3

export class Veil {
  /** Values hidden so far. */
  hidden = 0
  readonly #everything: boolean
  readonly #paths: readonly (readonly string[])[]
  readonly #leaves = new Set<string>()
  readonly #parts: readonly string[]

  constructor({ everything = false, paths, values }: Masks) {
    this.#everything = everything
    this.#paths = paths.map((path) => ['input', ...path])
    for (const value of values) collect(value, this.#leaves)
    this.#parts = [...this.#leaves].filter((leaf) => leaf.length >= MIN_PART)
  }

  /** `origin` of an answer as a whole: what flowed into it. */
  show({
    inflow,
    path,
    frames,
    value,
  }: Pick<Origin, 'frames' | 'inflow' | 'path' | 'value'>): Shown {
    const isDocument = path !== undefined && frames.length === 0
    const names = isDocument ? path.map(nameOf) : undefined
    if (this.#everything || this.#covers(names) || this.#derives(names, inflow, value)) {
      if (!this.#everything || typeof value !== 'boolean' || names !== undefined)
        return this.#hide()
    }
    const before = this.hidden
    const plain = this.#plain(value as Value, names)
    if (plain === HIDDEN && this.hidden > before) return { hidden: true }
    const text = JSON.stringify(plain)
    return text.length > MAX_TEXT
      ? { value: `${text.slice(0, MAX_TEXT)}…`, cut: true }
      : { value: plain }
  }

  /** A text that may hold values: a reference with the keys that were computed for it. */
  text(text: string, keys: Iterable<string> = []): string {
    return this.#isSecret(text) || this.#derives(undefined, keys, text) ? HIDDEN : text
  }

  #hide(): Shown {
    this.hidden++
    return { hidden: true }
  }

  #covers(names: readonly string[] | undefined): boolean {
    return names !== undefined && this.#paths.some((path) => isPrefix(path, names))
  }

  /** A yes or no says little of what it was computed from; anything else may be the value itself. */
  #derives(
    names: readonly string[] | undefined,
    inflow: Iterable<string>,
    value: unknown,
  ): boolean {
    if (names !== undefined || typeof value === 'boolean' || this.#paths.length === 0) return false
    for (const text of inflow) {
      const flowed = (JSON.parse(text) as (string | null)[]).map((one) => one ?? ANY)
      if (this.#paths.some((path) => isPrefix(path, flowed) || isPrefix(flowed, path))) return true
    }
    return false
  }

  #plain(value: Value, names: readonly string[] | undefined): Json {
    if (this.#covers(names)) return this.#hideWithin()
    if (typeof value === 'string') return this.#isSecret(value) ? this.#hideWithin() : value
    if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal) {
      if (this.#leaves.has(String(value))) return this.#hideWithin()
      return typeof value === 'number' ? value : String(value)
    }
    if (isArray(value)) return value.map((one, i) => this.#plain(one, below(names, String(i))))
    if (isSet(value)) return value.sorted().map((one) => this.#plain(one, below(names, ANY)))
    return isObject(value) ? this.#object(value, names) : (value as boolean | null)
  }

  #object(object: AnyObject, names: readonly string[] | undefined): Json {
    const plain: PlainObject = {}
    for (const [key, member] of entriesOf(object)) {
      const name = typeof key === 'string' ? key : JSON.stringify(this.#plain(key, undefined))
      define(plain, this.text(name), this.#plain(member, below(names, name)) as Value)
    }
    return plain as Json
  }

  #hideWithin(): string {
    this.hidden++
    return HIDDEN
  }

  #isSecret(text: string): boolean {
    return this.#leaves.has(text) || this.#parts.some((part) => text.includes(part))
  }
}

const ANY = '*'

function nameOf(segment: Segment): string {
  return segment === MEMBER ? ANY : String(segment)
}

function below(names: readonly string[] | undefined, name: string): readonly string[] | undefined {
  return names && [...names, name]
}

/** A member of a set may be any. */
function isPrefix(prefix: readonly string[], names: readonly string[]): boolean {
  return (
    prefix.length <= names.length &&
    prefix.every((name, i) => name === names[i] || name === ANY || names[i] === ANY)
  )
}

/** Booleans and null are in every document. */
function collect(value: Json, leaves: Set<string>): void {
  if (typeof value === 'string' || typeof value === 'number') leaves.add(String(value))
  else if (typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) collect(one, leaves)
}
