/** Every value inside a value, with the path to it: the value itself first, then depth first. */
import { entriesOf, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import type { Context, Family } from '../builtin.ts'

function visit(
  context: Context,
  path: readonly Value[],
  value: Value,
  found: (readonly [path: readonly Value[], value: Value])[],
): void {
  // A path is copied at each step, so that its length counts too.
  context.spend(1 + path.length)
  found.push([path, value])
  if (isArray(value)) {
    for (const [i, element] of value.entries()) visit(context, [...path, i], element, found)
  } else if (value instanceof RegoSet) {
    for (const element of value.sorted()) visit(context, [...path, element], element, found)
  } else if (isObject(value)) {
    for (const [key, member] of entriesOf(value)) visit(context, [...path, key], member, found)
  }
}

export const WALK: Family = {
  walk: (context, value: Value) => {
    const found: (readonly [readonly Value[], Value])[] = []
    visit(context, [], value, found)
    return found
  },
}
