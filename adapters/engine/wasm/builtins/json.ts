/** Changes of JSON values, and numbers. */
import type { Json } from '../../../../core/json.ts'
import { type HostBuiltin, Unsupported } from './operand.ts'

type Members = { readonly [name: string]: Json }
type Path = readonly string[]

function isMembers(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 6902 as OPA has it: where one operation cannot be done, the whole patch is undefined. */
const patch: HostBuiltin = ([target, operations]) => {
  // As JSON a set is an array, and a patch of the two differs.
  if (/\{(?!\})[^:]*$|set\(\)/.test(target!.term().replace(/"(?:[^"\\]|\\.)*":?/g, ':')))
    throw new Unsupported('a patch of a set')
  const list = operations!.json() as readonly Json[]
  let value: Json | undefined = target!.json()
  for (const operation of list) {
    if (!isMembers(operation) || value === undefined) return undefined
    value = applied(value, operation)
  }
  return value
}

function applied(document: Json, { from, op, path, value }: Members): Json | undefined {
  const to = pathOf(path)
  if (to === undefined) return undefined
  if (op === 'add' || op === 'replace')
    return value === undefined ? undefined : put(document, to, value, op === 'replace')
  if (op === 'remove') return take(document, to)
  if (op === 'test')
    return value !== undefined && same(at(document, to), value) ? document : undefined
  const source = pathOf(from)
  const moved = source && at(document, source)
  if (source === undefined || moved === undefined) return undefined
  if (op === 'copy') return put(document, to, moved, false)
  const rest = op === 'move' ? take(document, source) : undefined
  return rest === undefined ? undefined : put(rest, to, moved, false)
}

/** A JSON Pointer, with or without its first slash, or an array of names. */
function pathOf(path: Json | undefined): Path | undefined {
  if (Array.isArray(path)) return path.map(String)
  if (typeof path !== 'string') return undefined
  if (path === '') return []
  const names = (path.startsWith('/') ? path.slice(1) : path).split('/')
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function indexIn(list: readonly Json[], name: string, end: number): number | undefined {
  if (name === '-') return end > list.length - 1 ? list.length : undefined
  return /^(?:0|[1-9]\d{0,8})$/.test(name) && Number(name) <= end ? Number(name) : undefined
}

function at(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((inner, name) => {
    if (Array.isArray(inner)) return inner[indexIn(inner, name, inner.length - 1) ?? -1] as Json
    return isMembers(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined
  }, value)
}

function put(document: Json, path: Path, value: Json, replace: boolean): Json | undefined {
  const [name, ...rest] = path
  if (name === undefined) return value
  if (Array.isArray(document)) {
    const last = rest.length === 0 && !replace ? document.length : document.length - 1
    const index = indexIn(document, name, last)
    if (index === undefined) return undefined
    if (rest.length === 0) return document.toSpliced(index, replace ? 1 : 0, value)
    const inner = put(document[index] as Json, rest, value, replace)
    return inner === undefined ? undefined : document.with(index, inner)
  }
  if (!isMembers(document)) return undefined
  const there = Object.hasOwn(document, name) ? document[name] : undefined
  if (there === undefined && (rest.length > 0 || replace)) return undefined
  const inner = rest.length === 0 ? value : put(there as Json, rest, value, replace)
  return inner === undefined ? undefined : { ...document, [name]: inner }
}

function take(document: Json, path: Path): Json | undefined {
  const name = path.at(-1)
  if (name === undefined || at(document, path) === undefined) return undefined
  const parentPath = path.slice(0, -1)
  const parent = at(document, parentPath)
  if (Array.isArray(parent))
    return put(document, parentPath, parent.toSpliced(Number(name), 1), true)
  const { [name]: _, ...others } = parent as Members
  return put(document, parentPath, others, true)
}

function same(a: Json | undefined, b: Json): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => same(item as Json, b[i] as Json))
  if (!isMembers(a) || !isMembers(b)) return a === b
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]!))
  )
}

const MAX_RANGE = 1_000_000

const rangeStep: HostBuiltin = (operands) => {
  const [from, to, step] = operands.map((operand) => operand.json())
  if (![from, to, step].every(Number.isSafeInteger) || (step as number) <= 0) return undefined
  const [a, b, by] = [from as number, to as number, step as number]
  const length = Math.floor(Math.abs(b - a) / by) + 1
  if (length > MAX_RANGE) throw new Unsupported('a range of over a million numbers')
  return Array.from({ length }, (_, i) => (a <= b ? a + i * by : a - i * by))
}

export const JSON_VALUES: readonly (readonly [string, HostBuiltin])[] = [
  ['json.patch', patch],
  ['numbers.range_step', rangeStep],
]
