/** Objects: members by path, by key, and merged. Results are new objects that share the members' values with the operands. */
import {
  type AnyObject,
  define,
  get,
  insert,
  isArray,
  isObject,
  type PlainObject,
  RegoObject,
  RegoSet,
  type Value,
} from '../../value/value.ts'
import { type Builtin, type Context, type Family, typeFailure } from '../builtin.ts'
import { wrongElement, wrongType } from '../operands.ts'
import { membersOf } from './members.ts'
import { includesAll } from './subset.ts'

const find: Builtin = (context, object: Value, path: Value, otherwise: Value) => {
  if (!isObject(object)) return wrongType(context, 1, object, 'object')
  let found: Value | undefined = object
  for (const key of isArray(path) ? path : [path]) {
    found = get(found, key)
    if (found === undefined) return otherwise
  }
  return found
}

const union: Builtin = (context, a: Value, b: Value) => {
  if (!isObject(a)) return wrongType(context, 1, a, 'object')
  return isObject(b) ? merged(a, b) : wrongType(context, 2, b, 'object')
}

const unionOfAll: Builtin = (context, objects: Value) => {
  if (!isArray(objects)) return wrongType(context, 1, objects, 'array')
  let result: AnyObject = {}
  for (const object of objects) {
    if (!isObject(object)) return wrongElement(context, 1, objects, 'object')
    result = mergeInto(result, object)
  }
  return result
}

/** What `b` says wins; two objects under one key are merged themselves. */
function merged(a: AnyObject, b: AnyObject): AnyObject {
  return mergeInto(mergeInto({}, a), b)
}

/** @param target the caller's own */
function mergeInto(target: AnyObject, from: AnyObject): AnyObject {
  let result = target
  for (const [key, value] of membersOf(from)) {
    const present = get(result, key)
    const both = isObject(present) && isObject(value)
    result = insert(result, key, both ? merged(present, value) : value)
  }
  return result
}

const filter: Builtin = (context, object: Value, keys: Value) => {
  if (!isObject(object)) return wrongType(context, 1, object, 'object')
  const kept = keysIn(context, keys)
  if (kept === undefined) return undefined
  let result: AnyObject = {}
  for (const key of kept) {
    const value = get(object, key)
    if (value !== undefined) result = insert(result, key, value)
  }
  return result
}

const remove: Builtin = (context, object: Value, keys: Value) => {
  if (!isObject(object)) return wrongType(context, 1, object, 'object')
  const gone = keysIn(context, keys)
  if (gone === undefined) return undefined
  const set = keys instanceof RegoSet ? keys : RegoSet.of(gone)
  if (object instanceof RegoObject) {
    const kept = [...object.members.values()].filter(([key]) => !set.has(key))
    return kept.reduce<AnyObject>((result, [key, value]) => insert(result, key, value), {})
  }
  const result: PlainObject = {}
  for (const key of Object.keys(object))
    if (!set.has(key)) define(result, key, object[key] as Value)
  return result
}

/** Keys come as an array, as a set, or as those of another object. */
function keysIn(context: Context, keys: Value): Iterable<Value> | undefined {
  if (isArray(keys)) return keys
  if (keys instanceof RegoSet) return keys.values()
  return isObject(keys) ? keysOf(keys) : wrongType(context, 2, keys, 'object', 'set', 'array')
}

function keysOf(object: AnyObject): readonly Value[] {
  if (!(object instanceof RegoObject)) return Object.keys(object)
  return [...object.members.values()].map(([key]) => key)
}

const subset: Builtin = (context, whole: Value, part: Value) =>
  includesAll(context, whole, part) ??
  typeFailure(context, 'both arguments of object.subset must be of the same type, or array and set')

export const OBJECTS: Family = {
  'object.filter': filter,
  'object.get': find,
  'object.keys': (context, object: Value) =>
    isObject(object) ? RegoSet.of(keysOf(object)) : wrongType(context, 1, object, 'object'),
  'object.remove': remove,
  'object.subset': subset,
  'object.union': union,
  'object.union_n': unionOfAll,
}
