/** Lists of keys that follow what comes and goes. */
import { compare } from '../value/order.ts'
import type { Value } from '../value/value.ts'

/** Moving the elements of a longer list at each change costs more than a change may. */
const LONG = 4096

/** More changes of one list are made together. */
const MANY = 8

interface Edits {
  readonly came: Set<Value>
  readonly gone: Set<Value>
}

/**
 * Short lists are changed at once. Long ones are changed when they are next read, as whoever reads a list looks at all of it: a change
 * costs little, however many keys there are. Lists in order are in Rego's; the others are in none.
 */
export class KeyLists {
  readonly #late = new WeakMap<readonly Value[], Edits>()
  #waiting = 0
  readonly #ordered: boolean

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** The list as it has to be by now. */
  read(list: Value[]): readonly Value[] {
    return this.#waiting === 0 ? list : this.#made(list)
  }

  add(list: Value[], key: Value): void {
    const edits = this.#editsOf(list)
    if (edits === undefined) this.#put(list, key)
    else if (!edits.gone.delete(key)) edits.came.add(key)
  }

  remove(list: Value[], key: Value): void {
    const edits = this.#editsOf(list)
    if (edits === undefined) this.#take(list, key)
    else if (!edits.came.delete(key)) edits.gone.add(key)
  }

  #editsOf(list: readonly Value[]): Edits | undefined {
    const known = this.#late.get(list)
    if (known !== undefined || list.length < LONG) return known
    const made = { came: new Set<Value>(), gone: new Set<Value>() }
    this.#late.set(list, made)
    this.#waiting++
    return made
  }

  #made(list: Value[]): readonly Value[] {
    const edits = this.#late.get(list)
    if (edits === undefined) return list
    this.#late.delete(list)
    this.#waiting--
    const { came, gone } = edits
    if (came.size + gone.size > MANY) return this.#madeAnew(list, edits)
    for (const key of gone) this.#take(list, key)
    for (const key of came) this.#put(list, key)
    return list
  }

  /** In place: it is held elsewhere. */
  #madeAnew(list: Value[], { came, gone }: Edits): readonly Value[] {
    let length = 0
    for (const key of list) if (!gone.has(key)) list[length++] = key
    list.length = length
    for (const key of came) list.push(key)
    return this.#ordered ? list.sort(compare) : list
  }

  #put(list: Value[], key: Value): void {
    if (this.#ordered) list.splice(placeOf(list, key), 0, key)
    else list.push(key)
  }

  #take(list: Value[], key: Value): void {
    const place = this.#ordered ? placeOf(list, key) : list.indexOf(key)
    if (list[place] === key) list.splice(place, 1)
  }
}

/** Where the key is, or belongs. */
function placeOf(list: readonly Value[], key: Value): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(list[middle] as Value, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
