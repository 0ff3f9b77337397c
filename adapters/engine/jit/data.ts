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

/** The first revision of a policy's data, in a tree that `program` follows. @throws TypeError it is not JSON */
export function dataOf(data: unknown, revision: string, program: Program): DataRevision {
  return DataRevision.first(revision, copied(data), watcherOf(program))
}

function watcherOf(program: Program): DataWatcher {
  return {
    leaving: (container, key) => program.caches.leaving(container, key),
    entered: (container, key) => program.caches.entered(container, key),
    shifted: (array) => program.caches.shifted(array),
    changed: (paths) => program.forget(paths),
  }
}
/** A copy that nobody else holds, numbers in Rego's exact forms. Strings are shared. @throws RangeError, TypeError: not JSON */
export function copied(data: unknown): Value {
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
      if (typeof element !== 'string') list[i] = copied(element)
    }
    return list as readonly Value[]
  }
  const object = { ...data } as { [key: string]: unknown }
  for (const key of Object.keys(object)) {
    const member = object[key]
    // An own member called `__proto__` is own in the copy too, so this reaches no prototype.
    if (typeof member !== 'string') object[key] = copied(member)
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
