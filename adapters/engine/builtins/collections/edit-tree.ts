/** Edits laid over a value: only what is touched is unfolded. Behaves as OPA's edit tree, its corner cases with sets and arrays too. */
import { type Key, keyOf } from '../../value/key.ts'
import { equal } from '../../value/order.ts'
import {
  type AnyObject,
  get,
  insert,
  isArray,
  isObject,
  RegoSet,
  type Value,
} from '../../value/value.ts'
import type { Context } from '../builtin.ts'
import { membersOf } from './members.ts'

/** An edit that cannot be made. Never leaves the built-in. */
export class Refused extends Error {}

type Path = readonly Value[]
/** Null marks a member that was deleted. */
type Edit = readonly [key: Value, child: EditTree | null]

export class EditTree {
  readonly #context: Context
  /** Undefined once the root itself was removed. */
  #value: Value | undefined
  #edits = new Map<Key, Edit>()
  /** Of an array, once it is touched: an untouched element by its place in the source, or its edits. */
  #items: (EditTree | number)[] | undefined

  constructor(context: Context, value: Value | undefined) {
    this.#context = context
    this.#value = value
  }

  insertAt(path: Path, value: Value): void {
    if (path.length === 0) this.#reset(value)
    else this.#unfold(path, path.length - 1).#insert(path.at(-1) as Value, value)
  }

  deleteAt(path: Path): void {
    if (path.length === 0) this.#reset(this.#present() && undefined)
    else this.#unfold(path, path.length - 1).#delete(path.at(-1) as Value)
  }

  renderAt(path: Path): Value {
    const value = this.#unfold(path, path.length).render()
    if (value === undefined) throw new Refused('the value was removed')
    return value
  }

  render(): Value | undefined {
    const value = this.#value
    if (isArray(value)) return this.#renderArray(value)
    if (this.#edits.size === 0) return value
    if (value instanceof RegoSet) return this.#renderSet(value)
    return this.#renderObject(value as AnyObject)
  }

  #renderArray(source: readonly Value[]): readonly Value[] {
    if (this.#items === undefined) return source
    this.#context.spend(this.#items.length)
    return this.#items.map((item) =>
      typeof item === 'number' ? (source[item] as Value) : (item.render() as Value),
    )
  }

  #renderSet(source: RegoSet): RegoSet {
    this.#context.spend(source.size)
    const result = new RegoSet()
    for (const member of source.values()) if (!this.#edits.has(keyOf(member))) result.add(member)
    for (const [, child] of this.#edits.values())
      if (child !== null) result.add(child.render() as Value)
    return result
  }

  #renderObject(source: AnyObject): AnyObject {
    let result: AnyObject = {}
    for (const [key, value] of membersOf(source)) {
      this.#context.spend(1)
      if (!this.#edits.has(keyOf(key))) result = insert(result, key, value)
    }
    for (const [key, child] of this.#edits.values())
      if (child !== null) result = insert(result, key, child.render() as Value)
    return result
  }

  #reset(value: Value | undefined): void {
    this.#value = value
    this.#edits = new Map()
    this.#items = undefined
  }

  #present(): Value {
    if (this.#value === undefined) throw new Refused('the value was removed')
    return this.#value
  }

  /** The node that the first `length` keys of the path lead to. */
  #unfold(path: Path, length: number): EditTree {
    let node: EditTree = this
    for (let i = 0; i < length; i++) node = node.#child(path[i] as Value)
    return node
  }

  #child(key: Value): EditTree {
    const value = this.#present()
    if (isArray(value)) return this.#element(value, key)
    if (!isObject(value) && !(value instanceof RegoSet))
      throw new Refused('a path through a value that has no members')
    if (value instanceof RegoSet && isComposite(key)) this.#collapse()
    const edit = this.#edits.get(keyOf(key))
    if (edit?.[1] === null) throw new Refused('a path to a member that was removed')
    return edit?.[1] ?? this.#lay(key, this.#member(key))
  }

  #member(key: Value): Value {
    const member = get(this.#value, key)
    if (member === undefined) throw new Refused('a path to a member that does not exist')
    return member
  }

  #lay(key: Value, value: Value): EditTree {
    const child = new EditTree(this.#context, value)
    this.#edits.set(keyOf(key), [key, child])
    return child
  }

  #element(source: readonly Value[], key: Value): EditTree {
    const items = this.#touched(source)
    const index = position(items.length, key)
    const item = items[index]
    if (item instanceof EditTree) return item
    // OPA looks the element up by its place in the source, even where earlier edits have moved it.
    const element = source[index]
    if (item === undefined || element === undefined)
      throw new Refused('a path to an element that does not exist')
    const child = new EditTree(this.#context, element)
    items[index] = child
    return child
  }

  #touched(source: readonly Value[]): (EditTree | number)[] {
    if (this.#items === undefined) {
      this.#context.spend(source.length)
      this.#items = source.map((_, i) => i)
    }
    return this.#items
  }

  #insert(key: Value, value: Value): void {
    const present = this.#present()
    if (isArray(present)) {
      const items = this.#touched(present)
      const index = position(items.length, key)
      if (index < 0 || index > items.length) throw new Refused('an index out of bounds')
      this.#context.spend(items.length - index)
      items.splice(index, 0, new EditTree(this.#context, value))
    } else if (present instanceof RegoSet) {
      if (!equal(key, value)) throw new Refused('an element of a set under another key')
      if (isComposite(key)) this.#collapse()
      this.#lay(key, value)
    } else if (isObject(present)) this.#lay(key, value)
    else throw new Refused('a member of a value that has none')
  }

  #delete(key: Value): void {
    const present = this.#present()
    if (isArray(present)) {
      const items = this.#touched(present)
      const index = position(items.length, key)
      if (index < 0 || index >= items.length) throw new Refused('an index out of bounds')
      this.#context.spend(items.length - index)
      items.splice(index, 1)
    } else if (isObject(present) || present instanceof RegoSet) this.#deleteMember(present, key)
    else throw new Refused('a member of a value that has none')
  }

  #deleteMember(present: AnyObject | RegoSet, key: Value): void {
    if (present instanceof RegoSet && isComposite(key)) this.#collapse()
    const edit = this.#edits.get(keyOf(key))
    if (edit?.[1] === null) throw new Refused('a member that was removed already')
    if (edit === undefined) this.#member(key)
    this.#edits.set(keyOf(key), [key, null])
  }

  /** The elements of a set may have changed under their keys: they are written out, and take new ones. */
  #collapse(): void {
    this.#reset(this.render())
  }
}

function isComposite(value: Value): boolean {
  return isArray(value) || isObject(value) || value instanceof RegoSet
}

const INTEGER = /^[+-]?\d+$/

/** `-` is the end of the array. */
function position(length: number, key: Value): number {
  if (key === '-') return length
  if (typeof key === 'string') {
    if (!INTEGER.test(key)) throw new Refused('a text that is no index')
    if (key !== '0' && key.startsWith('0')) throw new Refused('an index with leading zeros')
    return Number(key)
  }
  if (typeof key !== 'number' || !Number.isInteger(key)) throw new Refused('a key that is no index')
  return key
}
