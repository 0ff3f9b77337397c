/** Inputs: of one shape and of many, with members in any order, and some that are meant badly. */

import type { Json } from '../../../core/json.ts'
import type { Dice } from './dice.ts'

const SMALL: readonly Json[] = [0, 1, 2, 3, -1, 0.5, 'a', 'b', 'c', '', 'é', true, false, null]
const HOSTILE: readonly Json[] = [
  '__proto__',
  'constructor',
  'toString',
  'length',
  '\u0000',
  '\u{10348}',
  '\uffff',
  '"\\\n\t',
  'x'.repeat(2000),
  9007199254740991,
  -9007199254740991,
  1.5e-7,
  123456789012345680,
  -0,
]
const NAMES = ['a', 'b', 'c', 'l', 'o', 's', 'é', '0', '1']
const STRAY = [
  '__proto__',
  'constructor',
  'length',
  'toString',
  'hasOwnProperty',
  '',
  'x y',
  '\u{10348}',
]

/** `depth`: how much deeper it may go. */
export function anyValue(dice: Dice, depth: number): Json {
  const kind = dice.below(10)
  if (depth <= 0 || kind < 5) return dice.pick(dice.chance(85) ? SMALL : HOSTILE)
  if (kind < 8) return dice.list(0, 4, () => anyValue(dice, depth - 1))
  return anyObject(dice, depth)
}

function anyObject(dice: Dice, depth: number): Json {
  return fromEntries(
    dice.list(0, 4, () => {
      const name = dice.pick(dice.chance(85) ? NAMES : STRAY)
      return [name, anyValue(dice, depth - 1)] as const
    }),
  )
}

/** Own properties, whatever they are called. */
export function fromEntries(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries) as Json
}

/** An input that generated programs have something to read in. */
export function input(dice: Dice): Json {
  if (dice.chance(4)) return dice.pick([...SMALL, [], {}])
  const members: (readonly [string, Json])[] = NAMES.filter(() => dice.chance(80)).map((name) => [
    name,
    member(dice, name),
  ])
  if (dice.chance(30)) members.push([dice.pick(STRAY), anyValue(dice, 2)])
  return fromEntries(shuffled(dice, members))
}

function member(dice: Dice, name: string): Json {
  if (name === 'l' && dice.chance(80)) return dice.list(0, 5, () => anyValue(dice, 2))
  if (name === 'o' && dice.chance(80)) return anyObject(dice, 3)
  if (name === 's' && dice.chance(80)) return dice.pick(['a', 'b', 'abc', 'é'])
  return anyValue(dice, 3)
}

export function shuffled<T>(dice: Dice, items: readonly T[]): T[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = dice.below(i + 1)
    ;[list[i], list[j]] = [list[j] as T, list[i] as T]
  }
  return list
}

/** The same value, its objects written in another order. */
export function reordered(dice: Dice, value: Json): Json {
  if (Array.isArray(value)) return value.map((one) => reordered(dice, one))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([k, v]) => [k, reordered(dice, v as Json)] as const)
  return fromEntries(shuffled(dice, entries))
}

/** The same value with some of it changed, taken away or added; half of the time its objects in another order too. */
export function changed(dice: Dice, value: Json): Json {
  let made = value
  for (let left = 1 + dice.below(3); left > 0; left--) made = changedOnce(dice, made)
  return dice.chance(50) ? reordered(dice, made) : made
}

function changedOnce(dice: Dice, value: Json): Json {
  if (typeof value !== 'object' || value === null) return changedScalar(dice, value)
  const isList = Array.isArray(value)
  const entries = Object.entries(value as { readonly [key: string]: Json })
  const i = dice.below(entries.length + 1)
  const found = entries[i]
  if (found === undefined) {
    const name = dice.pick([...NAMES, ...STRAY])
    return made(isList, [...entries, [name, anyValue(dice, 2)]])
  }
  const [name, member] = found
  if (dice.chance(10)) return made(isList, entries.toSpliced(i, 1))
  return made(isList, entries.with(i, [name, changedOnce(dice, member)]))
}

function made(isList: boolean, entries: readonly (readonly [string, Json])[]): Json {
  return isList ? entries.map(([, member]) => member) : fromEntries(entries)
}

function changedScalar(dice: Dice, value: Json): Json {
  if (typeof value === 'number' && dice.chance(60)) return value + dice.pick([-1, 1, 300, 1e6])
  if (typeof value === 'string' && dice.chance(60))
    return dice.pick([`${value}x`, value.slice(1), value.toUpperCase(), ''])
  return typeof value === 'boolean' ? !value : anyValue(dice, 2)
}
