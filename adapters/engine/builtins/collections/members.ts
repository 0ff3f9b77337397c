import { type AnyObject, RegoObject, type Value } from '../../value/value.ts'

/** In the order in which they stand, not in Rego's. */
export function membersOf(object: AnyObject): Iterable<readonly [key: Value, value: Value]> {
  return object instanceof RegoObject ? object.members.values() : Object.entries(object)
}
