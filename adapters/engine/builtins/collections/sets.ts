/** Sets and sets of sets. Results share their members with the operands, which never change. */
import { RegoSet, type Value } from '../../value/value.ts'
import type { Builtin, Context, Family } from '../builtin.ts'
import { wrongType } from '../operands.ts'

/** Up to this size a set may keep its members without keys, and asking for each is as fast. */
const SMALL = 8

/** The members of `a` that are in `b`, or with `inside` false those that are not. */
function chosen(a: RegoSet, b: RegoSet, inside: boolean): RegoSet {
  const result = new RegoSet()
  if (a.size <= SMALL) {
    for (const member of a.values()) if (b.has(member) === inside) result.add(member)
    return result
  }
  const others = b.members
  const members = result.members
  for (const [key, member] of a.members) if (others.has(key) === inside) members.set(key, member)
  return result
}

export function difference(a: RegoSet, b: RegoSet): RegoSet {
  return chosen(a, b, false)
}

function intersected(a: RegoSet, b: RegoSet): RegoSet {
  return a.size <= b.size ? chosen(a, b, true) : chosen(b, a, true)
}

function united(sets: readonly RegoSet[]): RegoSet {
  const result = new RegoSet()
  for (const set of sets) {
    if (set.size <= SMALL) for (const member of set.values()) result.add(member)
    else for (const [key, member] of set.members) result.members.set(key, member)
  }
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
  for (const member of value.values()) {
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
