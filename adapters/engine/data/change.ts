/**
 * JSON Patch on a tree in place, each step as a change that can be taken back.
 *
 * @see RFC 6902; https://www.openpolicyagent.org/docs/management-bundles#delta-bundles (`upsert`)
 */
import type { DataOperation } from '../../../core/ports/engine.ts'
import { Boxed } from '../value/boxed.ts'
import { equal } from '../value/order.ts'
import { define, type PlainObject, type Value } from '../value/value.ts'
import { readPointer } from './pointer.ts'
import type { DataWatcher } from './tree.ts'

/** What is wrong with which operation: nothing was changed. */
export class PatchError extends Error {
  /** From 0. */
  readonly operation: number
  constructor(operation: number, message: string) {
    super(`operation ${operation}: ${message}`)
    this.operation = operation
  }
}

type Container = PlainObject | Value[]

/** One place in the tree and what stands there afterwards; undefined is nothing. In an array, `shift` makes or closes a gap. */
export interface Change {
  /** From the root down to the container of the place itself. */
  readonly way: readonly (readonly [container: Container, key: number | string])[]
  readonly value: Value | undefined
  readonly shift: boolean
}

/** What is other than before: the place, or all of the array in which elements move. */
export function pathOfChange({ shift, way }: Change): readonly string[] {
  return way.slice(1, shift ? -1 : undefined).map(([, key]) => String(key))
}

/** What holds the root, so that the root has a place like any other. */
export interface Holder {
  value: Value
}

/** Performs all operations, or none. @throws PatchError */
export function planOperations(
  holder: Holder,
  operations: readonly DataOperation[],
  watcher: DataWatcher,
): { readonly changes: readonly Change[]; readonly undo: readonly Change[] } {
  const changes: Change[] = []
  const undo: Change[] = []
  const apply = (change: Change): void => {
    changes.push(change)
    undo.unshift(...perform([change], watcher))
  }
  for (const [index, operation] of operations.entries()) {
    try {
      for (const change of operationChanges(holder, operation)) apply(change)
    } catch (error) {
      perform(undo, watcher)
      throw error instanceof Mistake ? new PatchError(index, error.message) : error
    }
  }
  return { changes, undo }
}

/** Performs the changes in their order. What is returned takes them back. */
export function perform(changes: readonly Change[], watcher: DataWatcher): readonly Change[] {
  return changes.map((change) => performOne(change, watcher)).reverse()
}

function performOne(change: Change, watcher: DataWatcher): Change {
  const { shift, value, way } = change
  const [container, key] = way.at(-1)!
  const before = valueAt(container, key)
  // The holder is no part of the data.
  const watched = way.slice(1)
  const moves = shift && key !== (container as Value[]).length - (value === undefined ? 1 : 0)
  for (const [above, name] of watched) watcher.leaving(above, name)
  put(container, key, value, shift)
  if (moves) watcher.shifted(container)
  for (const [above, name] of watched) watcher.entered(above, name)
  return { ...change, value: shift && value !== undefined ? undefined : before }
}

function put(
  container: Container,
  key: number | string,
  value: Value | undefined,
  shift: boolean,
): void {
  if (Array.isArray(container)) {
    if (!shift) container[key as number] = value as Value
    else if (value === undefined) container.splice(key as number, 1)
    else container.splice(key as number, 0, value)
  } else if (value === undefined) Reflect.deleteProperty(container, key)
  else define(container, key as string, value)
}

function valueAt(container: Container, key: number | string): Value | undefined {
  return Object.hasOwn(container, key)
    ? (container as Record<number | string, Value>)[key]
    : undefined
}

class Mistake extends Error {}

/** Each change is made from the tree as the ones before it left it, so it is asked for when they are done. */
function* operationChanges(holder: Holder, operation: DataOperation): Generator<Change> {
  if (!isContainer(operation as unknown as Value)) throw new Mistake('no operation of JSON Patch')
  const path = pathOf(operation.path)
  switch (operation.op) {
    case 'add':
      return yield adding(holder, path, given(operation.value))
    case 'upsert':
      return yield* upserting(holder, path, given(operation.value))
    case 'remove':
      return yield removing(holder, path)
    case 'replace':
      return yield replacing(holder, path, given(operation.value))
    case 'test':
      if (equal(existing(holder, path), given(operation.value))) return
      throw new Mistake('the value is another one')
    case 'copy':
      return yield adding(holder, path, copied(existing(holder, pathOf(operation.from))))
    case 'move': {
      const from = pathOf(operation.from)
      if (path.length > from.length && from.every((name, i) => path[i] === name))
        throw new Mistake('it would move into itself')
      const value = existing(holder, from)
      yield removing(holder, from)
      return yield adding(holder, path, value)
    }
    default:
      throw new Mistake('no operation of JSON Patch')
  }
}

/**
 * A copy of what a caller gives, which has to be JSON as documents are read: what is beyond 2^53 - 1 may have lost digits, and would
 * compare as another number.
 */
function given(value: unknown): Value {
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
    return value === 0 ? 0 : value
  if (Array.isArray(value)) return Array.from(value, given)
  if (typeof value !== 'object' || !isPlain(value)) throw new Mistake('the value is not JSON')
  const copy: PlainObject = {}
  for (const [name, member] of Object.entries(value)) define(copy, name, given(member))
  return copy
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Of what is in the tree: numbers and texts are shared. */
function copied(value: Value): Value {
  if (Array.isArray(value)) return value.map(copied)
  if (!isContainer(value) || value instanceof Boxed) return value
  const copy: PlainObject = {}
  for (const [name, member] of Object.entries(value)) define(copy, name, copied(member))
  return copy
}

function pathOf(pointer: unknown): readonly string[] {
  const path = typeof pointer === 'string' ? readPointer(pointer) : undefined
  if (path === undefined) throw new Mistake('not a JSON pointer')
  return path
}

function adding(holder: Holder, path: readonly string[], value: Value): Change {
  const way = wayTo(holder, path)
  const [container, key] = way.at(-1)!
  if (!Array.isArray(container)) return { way, value, shift: false }
  if (!((key as number) <= container.length)) throw new Mistake('beyond the end of the array')
  return { way, value, shift: true }
}

function removing(holder: Holder, path: readonly string[]): Change {
  if (path.length === 0) throw new Mistake('the root cannot be removed')
  const way = wayTo(holder, path)
  const [container, key] = way.at(-1)!
  if (valueAt(container, key) === undefined) throw new Mistake('nothing is there')
  return { way, value: undefined, shift: Array.isArray(container) }
}

function replacing(holder: Holder, path: readonly string[], value: Value): Change {
  existing(holder, path)
  return { way: wayTo(holder, path), value, shift: false }
}

/** Makes the objects on its way; then as an `add`, which OPA's store does too: into an array it inserts. */
function* upserting(holder: Holder, path: readonly string[], value: Value): Generator<Change> {
  let at: Value = holder.value
  for (const [depth, name] of path.slice(0, -1).entries()) {
    const parent = path.slice(0, depth + 1)
    if (isContainer(at) && !Array.isArray(at) && !Object.hasOwn(at, name))
      yield adding(holder, parent, {})
    at = existing(holder, parent)
  }
  yield adding(holder, path, value)
}

function existing(holder: Holder, path: readonly string[]): Value {
  const [container, key] = wayTo(holder, path).at(-1)!
  const value = valueAt(container, key)
  if (value === undefined) throw new Mistake('nothing is there')
  return value
}

/** The containers down to the place, each with the key in it. The first is the holder of the root. */
function wayTo(holder: Holder, path: readonly string[]): [Container, number | string][] {
  let container = holder as unknown as Container
  let key: number | string = 'value'
  const way: [Container, number | string][] = [[container, key]]
  for (const name of path) {
    const next = valueAt(container, key)
    if (!isContainer(next)) throw new Mistake('no object or array is above it')
    container = next
    key = Array.isArray(container) ? indexOf(container, name) : name
    way.push([container, key])
  }
  return way
}

function indexOf(array: readonly Value[], name: string): number {
  if (name === '-') return array.length
  if (!/^(0|[1-9]\d{0,9})$/.test(name)) throw new Mistake('an array has no such element')
  return Number(name)
}

function isContainer(value: Value | undefined): value is Container {
  return typeof value === 'object' && value !== null
}
