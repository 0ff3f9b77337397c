/** What `object.subset` calls a part: an object's members, a set's elements, an array's run of elements. */
import { equal } from '../../value/order.ts'
import { type AnyObject, get, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import type { Context } from '../builtin.ts'
import { membersOf } from './members.ts'

/** Undefined for values of types that do not go together. */
export function includesAll(context: Context, whole: Value, part: Value): boolean | undefined {
  if (isArray(whole) && part instanceof RegoSet) return hasElements(whole, part)
  return nested(context, whole, part)
}

function nested(context: Context, whole: Value, part: Value): boolean | undefined {
  if (isObject(whole) && isObject(part)) return hasMembers(context, whole, part)
  if (whole instanceof RegoSet && part instanceof RegoSet) return hasAll(whole, part)
  return isArray(whole) && isArray(part) ? hasRun(context, whole, part) : undefined
}

function hasMembers(context: Context, whole: AnyObject, part: AnyObject): boolean {
  for (const [key, value] of membersOf(part)) {
    const found = get(whole, key)
    if (found === undefined) return false
    if (!equal(found, value) && nested(context, found, value) !== true) return false
  }
  return true
}

function hasAll(whole: RegoSet, part: RegoSet): boolean {
  return part.size <= whole.size && part.values().every((member) => whole.has(member))
}

/** The elements one after another somewhere in the array. What is compared more than once is counted. */
function hasRun(context: Context, whole: readonly Value[], part: readonly Value[]): boolean {
  for (let start = 0; start + part.length <= whole.length; start++) {
    let same = 0
    while (same < part.length && equal(whole[start + same] as Value, part[same] as Value)) same++
    if (same === part.length) return true
    if (same > 0) context.spend(same)
  }
  return false
}

/** As OPA counts: each element of the array that is in the set, one that stands twice too; and an empty array holds nothing. */
function hasElements(whole: readonly Value[], part: RegoSet): boolean {
  let missing = part.size
  for (const element of whole) {
    if (part.has(element)) missing--
    if (missing <= 0) return true
  }
  return false
}
