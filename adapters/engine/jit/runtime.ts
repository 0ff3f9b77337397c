/** What a generated program finds in its one parameter. */
import { BUILTINS, type Builtin, type Context, type Failure } from '../builtins/index.ts'
import { type RegoNumber, readNumber } from '../value/number.ts'
import { compare, equal } from '../value/order.ts'
import {
  type AnyObject,
  entriesOf,
  get,
  insert,
  isArray,
  isObject,
  objectOf,
  RegoObject,
  RegoSet,
  type Value,
} from '../value/value.ts'
import { type Caches, isLong } from './caches.ts'
import { inherited } from './names.ts'
import type { Trace } from './trace.ts'

/** What ends an evaluation by the policy's own doing: OPA's error code and message, no value in it. */
export class PolicyFailure extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export class BudgetExhausted extends Error {
  constructor() {
    super('more steps than an evaluation may take')
  }
}

/** What the text of a program says it is: {@link Program}'s inner half. */
export interface Module {
  readonly context: { -readonly [K in keyof Context]: Context[K] }
  readonly entries: {
    readonly [name: string]: (input: Value | undefined, data: Value) => Value | undefined
  }
  /** Forgets the value of a rule that depends on data only. */
  forget(rule: number): void
}
export type ModuleFunction = (runtime: Runtime) => Module

/** Operations by their names, and how the program runs. */
export interface Runtime {
  readonly [operation: string]: unknown
  readonly maxSteps: number
  readonly trace: Trace | undefined
}

export function createRuntime(caches: Caches, maxSteps: number, trace?: Trace): Runtime {
  const kept = (container: Value | undefined, sorted: boolean): readonly Value[] | null =>
    isObject(container)
      ? caches.keys(container, sorted ? sortedKeysOfObject : keysOfObject, sorted)
      : keysOf(container)
  return {
    ...OPERATIONS,
    maxSteps,
    trace,
    caches,
    keptKeys: (container: Value | undefined) => kept(container, false),
    keptSorted: (container: Value | undefined) =>
      container instanceof RegoSet ? container.sorted() : kept(container, true),
    keptMember: (context: Context, value: Value, collection: Value) =>
      isLong(collection) ? caches.member(value, collection) : member(context, value, collection),
  }
}

function builtin(name: string): Builtin {
  const found = BUILTINS.get(name)
  if (found === undefined) throw new PolicyFailure('unknown_builtin', `no built-in ${name}`)
  return found
}

function number(text: string): RegoNumber {
  return readNumber(text)!
}

/** Names that the program reads as properties. */
function plain(names: readonly string[]): void {
  const name = inherited(names)
  if (name !== undefined)
    throw new PolicyFailure('inherited_name', `this JavaScript has a member ${name} in everything`)
}

function exhausted(): never {
  throw new BudgetExhausted()
}

function conflict(message: string): never {
  throw new PolicyFailure('eval_conflict_error', message)
}

/** In strict mode, after a built-in without a value. */
function failed(failure: Failure | undefined, place: string): void {
  if (failure !== undefined) throw new PolicyFailure(failure.code, `${place}: ${failure.message}`)
}

/** Members of a set, keys of an object. Null for what cannot be scanned; arrays are scanned in place. */
function keysOf(value: Value | undefined): readonly Value[] | null {
  if (value instanceof RegoSet) return value.values()
  return isObject(value) ? keysOfObject(value) : null
}

/** The same in Rego's order, for where a scan fills an array. */
function sortedKeysOf(value: Value | undefined): readonly Value[] | null {
  if (value instanceof RegoSet) return value.sorted()
  return isObject(value) ? sortedKeysOfObject(value) : null
}

function keysOfObject(object: object): Value[] {
  return object instanceof RegoObject
    ? [...object.members.values()].map(([key]) => key)
    : Object.keys(object)
}

function sortedKeysOfObject(object: object): Value[] {
  return entriesOf(object as AnyObject).map(([key]) => key)
}

/** Base and virtual documents of one path: the base counts where both have a value, as in OPA. */
function merge(base: Value, virtual: Value | undefined): Value {
  return isObject(base) && isObject(virtual) ? merged(base, virtual) : base
}

function merged(base: AnyObject, virtual: AnyObject): AnyObject {
  let object: AnyObject = {}
  for (const [key, value] of entriesOf(virtual)) object = insert(object, key, value)
  for (const [key, value] of entriesOf(base))
    object = insert(object, key, merge(value, get(virtual, key)))
  return object
}

/** `with`: a copy along the path. What is no object on the way gives way to one. */
function upsert(value: Value | undefined, path: readonly string[], leaf: Value): Value {
  const [name, ...rest] = path
  if (name === undefined) return leaf
  let object: AnyObject = {}
  if (isObject(value))
    for (const [key, member] of entriesOf(value)) object = insert(object, key, member)
  return insert(object, name, upsert(get(object, name), rest, leaf))
}

function count(value: Value | undefined): number | undefined {
  if (isArray(value)) return value.length
  if (value instanceof RegoSet || value instanceof RegoObject) return value.size
  if (isObject(value)) return Object.keys(value).length
  return undefined
}

/** Elements that are looked at for one step: they are compared many times faster than a body runs. */
const LOOKED_AT = 16
const SHORT = 64

function member(context: Context, value: Value, collection: Value): boolean {
  if (isArray(collection)) {
    if (collection.length > SHORT) context.spend(Math.ceil(collection.length / LOOKED_AT))
    const scalar = typeof value !== 'object'
    for (let i = 0; i < collection.length; i++) {
      const one = collection[i] as Value
      if (one === value || (!scalar && equal(one, value))) return true
    }
    return false
  }
  if (collection instanceof RegoSet) return collection.has(value)
  if (!isObject(collection)) return false
  return (keysOf(collection) ?? []).some((key) => equal(get(collection, key) as Value, value))
}

/** A member where reading the property found none: sets and objects with other keys have no properties. */
function find(container: Value | undefined, key: string): Value | undefined {
  return container instanceof RegoSet || container instanceof RegoObject
    ? get(container, key)
    : undefined
}

/** One step of a reference into base documents. */
function getBase(container: Value | undefined, key: Value): Value | undefined {
  const found = get(container, key)
  if (found !== undefined) return found
  if (typeof key === 'number') return isArray(container) ? undefined : get(container, String(key))
  return typeof key === 'string' && isArray(container) && /^(0|[1-9]\d*)$/.test(key)
    ? container[Number(key)]
    : undefined
}

/** Rules and functions by the path that a reference computes. */
type Tree = Map<Value, Tree | ((...args: (Value | undefined)[]) => Value | undefined)>

function lookup(tree: Tree, path: readonly Value[]): unknown {
  let at: unknown = tree
  for (const name of path) {
    if (!(at instanceof Map)) return undefined
    at = at.get(name)
  }
  return typeof at === 'function' ? at : undefined
}

function tree(functions: readonly (readonly [path: readonly string[], call: () => Value])[]): Tree {
  const root: Tree = new Map()
  for (const [path, call] of functions) {
    let at = root
    for (const name of path.slice(0, -1)) {
      const below = at.get(name)
      const next: Tree = below instanceof Map ? below : new Map()
      at.set(name, next)
      at = next
    }
    at.set(path.at(-1) as string, call)
  }
  return root
}

const OPERATIONS: Readonly<Record<string, unknown>> = {
  builtin,
  compare,
  conflict,
  count,
  equal,
  exhausted,
  failed,
  find,
  get,
  getBase,
  insert,
  isArray,
  isObject,
  keysOf,
  lookup,
  member,
  merge,
  number,
  objectOf,
  plain,
  RegoSet,
  sortedKeysOf,
  tree,
  upsert,
}
