/** From one document to another in few operations: members of objects one by one, whatever else differs as a whole. */
import type { Json } from '../../core/json.ts'
import type { PatchOperation } from './patch.ts'

type Members = { readonly [name: string]: Json }

/** Applied to `from` in their order they give `to`. Members are taken in the order of their names, so that the same two give the same. */
export function difference(from: Members, to: Members): readonly PatchOperation[] {
  return names(from, to).flatMap((name) => between(member(from, name), member(to, name), [name]))
}

function between(
  from: Json | undefined,
  to: Json | undefined,
  path: readonly string[],
): readonly PatchOperation[] {
  if (to === undefined) return [{ op: 'remove', path }]
  const whole: PatchOperation = { op: 'upsert', path, value: to }
  if (!isObject(from) || !isObject(to)) return same(from, to) ? [] : [whole]
  const changed = names(from, to).filter((name) => !same(member(from, name), member(to, name)))
  if (changed.length === 0) return []
  // A name without a letter cannot stand at the end of OPA's paths.
  if (changed.includes('')) return [whole]
  const each = changed.flatMap((name) =>
    between(member(from, name), member(to, name), [...path, name]),
  )
  return sizeOf(each) < sizeOf([whole]) ? each : [whole]
}

function names(from: Members, to: Members): readonly string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
}

function member(object: Members, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The order of an object's members does not count. */
function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => same(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const all = Object.keys(a)
  return (
    all.length === Object.keys(b).length &&
    all.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  )
}

const sizeOf = (operations: readonly PatchOperation[]): number => JSON.stringify(operations).length
