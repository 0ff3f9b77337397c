/** `json.filter` and `json.remove`: what is left of a value by its paths. Elements of arrays go by their position as a text. */
import {
  type AnyObject,
  get,
  insert,
  isArray,
  isObject,
  RegoSet,
  type Value,
} from '../../value/value.ts'
import type { Family } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { membersOf } from './members.ts'
import { type Branch, branchAt, type Tree, treeOf } from './paths.ts'

function kept(value: Value, branch: Branch): Value {
  if (branch === null) return value
  if (isArray(value)) {
    return value.flatMap((element, i) => {
      const below = branchAt(branch, String(i))
      return below === undefined ? [] : [kept(element, below)]
    })
  }
  if (value instanceof RegoSet) {
    const result = new RegoSet()
    for (const element of value.values()) {
      const below = branchAt(branch, element)
      if (below !== undefined) result.add(kept(element, below))
    }
    return result
  }
  return isObject(value) ? keptMembers(value, branch) : value
}

function keptMembers(object: AnyObject, tree: Tree): AnyObject {
  let result: AnyObject = {}
  for (const [key, below] of tree.members.values()) {
    const member = get(object, key)
    if (member !== undefined) result = insert(result, key, kept(member, below))
  }
  return result
}

/** Undefined where the value itself is what the path names. */
function left(value: Value, branch: Branch | undefined): Value | undefined {
  if (branch === undefined) return value
  if (branch === null) return undefined
  if (isArray(value)) {
    return value.flatMap((element, i) => {
      const rest = left(element, branchAt(branch, String(i)))
      return rest === undefined ? [] : [rest]
    })
  }
  if (value instanceof RegoSet) {
    const result = new RegoSet()
    for (const element of value.values()) {
      const rest = left(element, branchAt(branch, element))
      if (rest !== undefined) result.add(rest)
    }
    return result
  }
  if (!isObject(value)) return value
  let result: AnyObject = {}
  for (const [key, member] of membersOf(value)) {
    const rest = left(member, branchAt(branch, key))
    if (rest !== undefined) result = insert(result, key, rest)
  }
  return result
}

export const JSON_PATHS: Family = {
  'json.filter': (context, object: Value, paths: Value) => {
    if (!isObject(object)) return wrongType(context, 1, object, 'object')
    const tree = treeOf(context, paths)
    return tree === undefined ? undefined : kept(object, tree)
  },
  'json.remove': (context, object: Value, paths: Value) => {
    if (!isObject(object)) return wrongType(context, 1, object, 'object')
    const tree = treeOf(context, paths)
    return tree === undefined ? undefined : left(object, tree)
  },
}
