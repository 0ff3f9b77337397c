/**
 * What may come in as input: what JSON can say, as JavaScript's own JSON.parse would make it. Anything else could answer differently the
 * second time it is looked at, or hide something from the policy.
 */
import { inheritedCount } from './names.ts'
import { isProxy } from './proxy.ts'
import { PolicyFailure } from './runtime.ts'

export class InvalidInput extends Error {}

export interface InputLimits {
  /** Containers within containers. */
  readonly maxDepth: number
}

/** `exact`: it has an integer beyond 2^53 - 1, whose digits only its text has. */
export type Checked = 'exact' | 'plain'

/** @throws InvalidInput saying what is wrong and never what the value is */
export class InputCheck {
  readonly #maxDepth: number
  /** Frozen all the way down, so they stay what they were. */
  readonly #known = new WeakMap<object, Checked>()
  /** What values inherited when the policy was loaded: no name among it is one that the policy reads. */
  readonly #inherited = inheritedCount()
  #exact = false

  constructor({ maxDepth }: InputLimits) {
    this.#maxDepth = maxDepth
  }

  check(value: unknown): Checked {
    if (inheritedCount() !== this.#inherited)
      throw new PolicyFailure(
        'polluted_prototype',
        'the built-in prototypes are not what they were when the policy was loaded; load it again if that was meant',
      )
    if (typeof value === 'object' && value !== null) {
      const known = this.#known.get(value)
      if (known !== undefined) return known
    }
    this.#exact = false
    const frozen = this.#value(value, 0)
    const found = this.#exact ? 'exact' : 'plain'
    if (frozen && typeof value === 'object' && value !== null) this.#known.set(value, found)
    return found
  }

  /** Whether it is frozen, and everything in it. */
  #value(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'boolean':
        return true
      case 'number':
        return this.#number(value)
      case 'string':
        return text(value)
      case 'object':
        return value === null || this.#container(value, depth)
      default:
        throw new InvalidInput(`a ${typeof value} is not JSON`)
    }
  }

  #number(value: number): boolean {
    if (!Number.isFinite(value)) throw new InvalidInput('a number that is not finite')
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) this.#exact = true
    return true
  }

  #container(value: object, depth: number): boolean {
    if (depth >= this.#maxDepth)
      throw new InvalidInput(`nested more than ${this.#maxDepth} deep, or in itself`)
    if (isProxy(value)) throw new InvalidInput('a proxy')
    const isArray = Array.isArray(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (
      prototype !== (isArray ? Array.prototype : Object.prototype) &&
      (isArray || prototype !== null)
    )
      throw new InvalidInput('an object of a class')
    const keys = Reflect.ownKeys(value)
    // Positions come first, so that `length` behind as many as there should be has none of them missing.
    if (isArray && (keys.length !== value.length + 1 || keys[value.length] !== 'length'))
      throw new InvalidInput('an array with gaps or members of its own')
    let frozen = Object.isFrozen(value)
    for (const key of keys) {
      if (isArray && key === 'length') continue
      if (!this.#member(value, key, depth)) frozen = false
    }
    return frozen
  }

  #member(container: object, key: string | symbol, depth: number): boolean {
    if (typeof key === 'symbol') throw new InvalidInput('a symbol as a name')
    text(key)
    const { value, enumerable, get, set } = Object.getOwnPropertyDescriptor(container, key) ?? {}
    if (get !== undefined || set !== undefined || enumerable !== true)
      throw new InvalidInput('a property that is no plain value')
    return this.#value(value, depth + 1)
  }
}

function text(value: string): true {
  if (!value.isWellFormed()) throw new InvalidInput('half a surrogate pair')
  return true
}
