/**
 * Changes of JSON documents as OPA's store makes them: add, remove and replace at a path, on values that are never changed in place. An
 * add into an array inserts, `-` is its end; what is missing on the way is not made up.
 *
 * @see RFC 6902; https://www.openpolicyagent.org/docs/rest-api#patch-a-document
 */
import type { Json } from '../../core/json.ts'

export type Path = readonly string[]
export type Operation = 'add' | 'remove' | 'replace'
/** Why a change cannot be made. */
export type Failure = 'document_not_found' | 'invalid_change' | 'not_an_object'
type Change = { readonly op: 'add' | 'replace'; readonly value: Json } | { readonly op: 'remove' }
export type Changed = { readonly value: Json } | { readonly failure: Failure }
type Members = { readonly [name: string]: Json }

export function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at `path`; undefined when there is none. */
export function lookUp(document: Json, path: Path): Json | undefined {
  let value: Json | undefined = document
  for (const name of path) {
    if (Array.isArray(value)) value = value[indexOf(value.length, name) ?? -1] as Json | undefined
    else value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
    if (value === undefined) return undefined
  }
  return value
}

/** `document` with one change. The root itself is an object and stays. */
export function change(document: Json, path: Path, wanted: Change): Changed {
  const [name, ...rest] = path
  if (name === undefined) {
    if (wanted.op === 'remove') return { failure: 'invalid_change' }
    return { value: wanted.value }
  }
  if (Array.isArray(document)) return changeArray(document, name, rest, wanted)
  return isObject(document)
    ? changeObject(document, name, rest, wanted)
    : { failure: 'document_not_found' }
}

function changeObject(document: Members, name: string, rest: Path, wanted: Change): Changed {
  const there = Object.hasOwn(document, name)
  if (!there && (rest.length > 0 || wanted.op !== 'add')) return { failure: 'document_not_found' }
  if (rest.length === 0 && wanted.op === 'remove') {
    const { [name]: _, ...others } = document
    return { value: others }
  }
  const changed =
    rest.length === 0 ? (wanted as { value: Json }) : change(document[name]!, rest, wanted)
  return 'failure' in changed ? changed : { value: { ...document, [name]: changed.value } }
}

function changeArray(list: readonly Json[], name: string, rest: Path, wanted: Change): Changed {
  const atEnd = name === '-' || name === String(list.length)
  if (rest.length === 0 && atEnd)
    return wanted.op === 'add' ? { value: [...list, wanted.value] } : { failure: 'invalid_change' }
  const index = indexOf(list.length, name)
  if (index === undefined) return { failure: 'document_not_found' }
  if (rest.length > 0) {
    const changed = change(list[index]!, rest, wanted)
    return 'failure' in changed ? changed : { value: list.with(index, changed.value) }
  }
  if (wanted.op === 'remove') return { value: list.toSpliced(index, 1) }
  if (wanted.op === 'add') return { value: list.toSpliced(index, 0, wanted.value) }
  return { value: list.with(index, wanted.value) }
}

function indexOf(length: number, name: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(name) && Number(name) < length ? Number(name) : undefined
}

/** Makes the objects that lead to `path`. Anything else on the way is in the way. */
export function makeParents(document: Json, path: Path): Changed {
  let value = document
  for (let length = 1; length < path.length; length++) {
    const at = path.slice(0, length)
    const there = lookUp(value, at)
    if (there === undefined) {
      const made = change(value, at, { op: 'add', value: {} })
      if ('failure' in made) return made
      value = made.value
    } else if (!isObject(there)) return { failure: 'not_an_object' }
  }
  return { value }
}

/** Members sorted by name at every level: the order in which facts are committed to. */
export function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => sorted(item as Json))
  if (!isObject(value)) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted(value[name]!)]))
}
