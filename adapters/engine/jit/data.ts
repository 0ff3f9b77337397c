/**
 * The data of a loaded policy, and what a program keeps of them. One tree holds all revisions and is changed in place; it tells a
 * {@link DataWatcher} of every change, between evaluations.
 *
 * What is kept: the values of rules that depend on data only, dropped where a path that they look at and a changed path overlap
 * ({@link Program.forget}); indexes and lists of one container, which change with it ({@link Program.caches}).
 */
import { DataRevision, type DataWatcher } from '../data/index.ts'
import { readNumber } from '../value/number.ts'
import type { PlainObject, Value } from '../value/value.ts'
import type { Program } from './program.ts'

/** A copy of more values is made of objects, as a text of all of them would need too much memory for a moment. */
const MOST_BY_TEXT = 250_000

/**
 * The first revision of a policy's data, in a tree that `program` follows.
 *
 * @param taken nobody else holds `data`: they are used as they are, and changed
 * @throws TypeError they are not JSON
 */
export function dataOf(
  data: unknown,
  revision: string,
  program: Program,
  taken: boolean,
): DataRevision {
  return DataRevision.first(revision, taken ? own(data) : copied(data), watcherOf(program))
}

function own(data: unknown): Value {
  return countPlain(data) === undefined ? copiedValue(data) : (data as Value)
}

function watcherOf(program: Program): DataWatcher {
  return {
    leaving: (container, key) => program.caches.leaving(container, key),
    entered: (container, key) => program.caches.entered(container, key),
    shifted: (array) => program.caches.shifted(array),
    changed: (paths) => program.forget(paths),
  }
}

/** A copy that nobody else holds, numbers in Rego's exact forms. @throws RangeError, TypeError: not JSON */
export function copied(data: unknown): Value {
  const count = countPlain(data)
  // JavaScript's own writer and reader are several times faster than copying one by one in code that has just started to run.
  if (count !== undefined && count <= MOST_BY_TEXT) return JSON.parse(JSON.stringify(data)) as Value
  return copiedValue(data)
}

/** How many values it has; undefined where one of them is no JSON, or a number with another form in Rego. */
function countPlain(value: unknown): number | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return 1
  if (typeof value === 'number') return isExact(value) ? 1 : undefined
  if (typeof value !== 'object') return undefined
  let count = 1
  if (Array.isArray(value))
    for (let i = 0; i < value.length; i++) {
      const below = countPlain(value[i])
      if (below === undefined) return undefined
      count += below
    }
  else
    for (const key in value) {
      const below = countPlain((value as Readonly<Record<string, unknown>>)[key])
      if (below === undefined) return undefined
      count += below
    }
  return count
}

function isExact(value: number): boolean {
  return Number.isInteger(value)
    ? Number.isSafeInteger(value) && !Object.is(value, -0)
    : Number.isFinite(value)
}

function copiedValue(data: unknown): Value {
  switch (typeof data) {
    case 'boolean':
    case 'string':
      return data
    case 'number':
      return Number.isSafeInteger(data) || !Number.isInteger(data) ? finite(data) : exact(data)
    case 'object':
      return container(data)
    default:
      throw new TypeError(`a ${typeof data} is not JSON`)
  }
}

/** Objects keep their hidden classes, which is what makes reading them fast, and copying too. */
function container(data: object | null): Value {
  if (data === null) return null
  if (Array.isArray(data)) {
    const list = data.slice() as unknown[]
    for (let i = 0; i < list.length; i++) {
      const element = list[i]
      if (typeof element !== 'string') list[i] = copiedValue(element)
    }
    return list as readonly Value[]
  }
  const object = { ...data } as { [key: string]: unknown }
  for (const key of Object.keys(object)) {
    const member = object[key]
    // An own member called `__proto__` is own in the copy too, so this reaches no prototype.
    if (typeof member !== 'string') object[key] = copiedValue(member)
  }
  return object as PlainObject
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError('a number that is not finite is not JSON')
  return value === 0 ? 0 : value
}

function exact(value: number): Value {
  return readNumber(String(finite(value)))!
}
