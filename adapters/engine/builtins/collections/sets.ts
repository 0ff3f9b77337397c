/** Sets and sets of sets. Results share their members with the operands, which never change. */
import { RegoSet, type Value } from '../../value/value.ts'
import type { Builtin, Context, Family } from '../builtin.ts'
import { wrongType } from '../operands.ts'

export function difference(a: RegoSet, b: RegoSet): RegoSet {
  const result = new RegoSet()
  for (const [key, member] of a.members) if (!b.members.has(key)) result.members.set(key, member)
  return result
}

function intersected(a: RegoSet, b: RegoSet): RegoSet {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  const result = new RegoSet()
  for (const [key, member] of few.members)
    if (many.members.has(key)) result.members.set(key, member)
  return result
}

function united(sets: Iterable<RegoSet>): RegoSet {
  const result = new RegoSet()
  for (const set of sets)
    for (const [key, member] of set.members)
      if (!result.members.has(key)) result.members.set(key, member)
  return result
}

function binary(compute: (a: RegoSet, b: RegoSet) => RegoSet): Builtin {
  return (context, a: Value, b: Value) => {
    if (!(a instanceof RegoSet)) return wrongType(context, 1, a, 'set')
    if (!(b instanceof RegoSet)) return wrongType(context, 2, b, 'set')
    return compute(a, b)
  }
}

function setsIn(context: Context, value: Value): readonly RegoSet[] | undefined {
  if (!(value instanceof RegoSet)) return wrongType(context, 1, value, 'set')
  const sets: RegoSet[] = []
  for (const member of value.members.values()) {
    if (!(member instanceof RegoSet)) return wrongType(context, 1, member, 'set')
    sets.push(member)
  }
  return sets
}

export const SETS: Family = {
  and: binary(intersected),
  or: binary((a, b) => (a.size === 0 ? b : b.size === 0 ? a : united([a, b]))),
  set_diff: binary(difference),
  intersection: (context, value: Value) => {
    const sets = setsIn(context, value)
    if (sets === undefined) return undefined
    const [first = new RegoSet(), ...rest] = sets
    return rest.reduce(intersected, first)
  },
  union: (context, value: Value) => {
    const sets = setsIn(context, value)
    return sets === undefined ? undefined : united(sets)
  },
}
