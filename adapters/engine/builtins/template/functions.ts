/** The functions that Go's templates have of themselves. `and` and `or` are not here: they stop early. */
import { compareStrings } from '../../value/order.ts'
import type { Context } from '../builtin.ts'
import type { Argument } from '../strings/go-verbs.ts'
import { formatted } from '../strings/sprintf.ts'
import { escaped } from '../strings/url-query.ts'
import { bytesOf, textOf } from '../texts.ts'
import { type Datum, isList, isMap, isTrue, JsonNumber, shown } from './datum.ts'
import { Refused } from './lexer.ts'

export type TemplateFunction = (context: Context, args: readonly Datum[]) => Datum

function isText(datum: Datum): datum is JsonNumber | string {
  return typeof datum === 'string' || datum instanceof JsonNumber
}

/** As Go's Sprint: a blank between two that are no strings. */
function sprint(args: readonly Datum[]): string {
  return args
    .map((arg, i) => (i > 0 && !isText(arg) && !isText(args[i - 1]) ? ' ' : '') + shown(arg))
    .join('')
}

function printf(context: Context, [format, ...args]: readonly Datum[]): Datum {
  if (typeof format !== 'string') throw new Refused('a format that is no string')
  // Go prints a list with its verb element by element; `%v` is the same for all.
  const plain = args.every((arg) => kindOf(arg) !== undefined)
  if (!plain && !printsValues(format, args.length))
    throw new Refused('a list, a map or nil with another verb than %v')
  const text = formatted(context, format, args.map(argumentOf))
  if (text === undefined) throw new Refused('a format that cannot be printed')
  return text
}

function printsValues(format: string, count: number): boolean {
  return (
    /^(?:[^%]|%[%v])*$/.test(format) && format.replaceAll('%%', '').split('%v').length === count + 1
  )
}

function argumentOf(datum: Datum): Argument {
  if (typeof datum === 'string') return { type: 'string', value: datum }
  if (typeof datum === 'bigint') return { type: 'int', value: datum }
  if (typeof datum === 'number') return { type: 'float64', value: datum }
  if (datum instanceof JsonNumber) return { type: 'json.Number', value: datum.text }
  return typeof datum === 'boolean'
    ? { type: 'bool', value: datum }
    : { type: 'string', value: shown(datum) }
}

type Kind = 'bool' | 'float' | 'int' | 'string'

function kindOf(datum: Datum): Kind | undefined {
  if (isText(datum)) return 'string'
  if (typeof datum === 'bigint') return 'int'
  if (typeof datum === 'number') return 'float'
  return typeof datum === 'boolean' ? 'bool' : undefined
}

function same(a: Datum, b: Datum): boolean {
  const kind = kindOf(a)
  if (isList(a) || isMap(a) || isList(b) || isMap(b))
    throw new Refused('values that do not compare')
  const present = (a ?? null) !== null && (b ?? null) !== null
  if (present && kind !== kindOf(b)) throw new Refused('incompatible types for comparison')
  return present
    ? kind === 'string'
      ? shown(a) === shown(b)
      : a === b
    : (a ?? null) === (b ?? null)
}

function equals([first, ...others]: readonly Datum[]): boolean {
  if (others.length === 0) throw new Refused('missing argument for comparison')
  for (const other of others) if (same(first, other)) return true
  return false
}

function isLess([a, b]: readonly Datum[]): boolean {
  const kind = kindOf(a)
  if (kind === undefined || kind === 'bool' || kind !== kindOf(b))
    throw new Refused('invalid types for comparison')
  return kind === 'string'
    ? compareStrings(shown(a), shown(b)) < 0
    : (a as bigint | number) < (b as bigint | number)
}

function two(args: readonly Datum[]): readonly Datum[] {
  if (args.length !== 2) throw new Refused('wrong number of arguments')
  return args
}

function one(args: readonly Datum[]): Datum {
  if (args.length !== 1) throw new Refused('wrong number of arguments')
  return args[0]
}

function lengthOf(datum: Datum): bigint {
  if (isText(datum)) return BigInt(bytesOf(shown(datum)).length)
  if (isList(datum)) return BigInt(datum.length)
  if (isMap(datum)) return BigInt(datum.size)
  throw new Refused('len of a value that has none')
}

function index([item, ...keys]: readonly Datum[]): Datum {
  if ((item ?? null) === null) throw new Refused('an index of nothing')
  let found = item
  for (const key of keys) {
    if (isMap(found)) {
      if (typeof key !== 'string') throw new Refused('an index that is no string')
      found = found.get(key)
    } else if (isList(found)) found = found[place(key, found.length - 1)]
    else if (isText(found)) found = byteAt(shown(found), key)
    else throw new Refused('a value that has no index')
  }
  return found
}

function byteAt(text: string, key: Datum): bigint {
  const bytes = bytesOf(text)
  return BigInt(bytes[place(key, bytes.length - 1)] ?? 0)
}

function place(key: Datum, last: number): number {
  if (typeof key !== 'bigint' || key < 0n || key > BigInt(last))
    throw new Refused('an index out of range')
  return Number(key)
}

function slice([item, ...bounds]: readonly Datum[]): Datum {
  if (bounds.length > (isList(item) ? 3 : 2)) throw new Refused('too many slice indexes')
  const elements = isList(item) ? item : isText(item) ? bytesOf(shown(item)) : undefined
  if (elements === undefined) throw new Refused('a value that cannot be sliced')
  if (bounds.includes(undefined)) throw new Refused('a slice index that is not there')
  const [from = 0n, to = BigInt(elements.length)] = bounds
  const start = place(from, elements.length)
  const stop = place(to, elements.length)
  if (start > stop) throw new Refused('slice indexes the wrong way round')
  return elements instanceof Uint8Array
    ? textOf(elements.slice(start, stop))
    : elements.slice(start, stop)
}

/** One string as it is; all else as it prints. */
function textFrom(args: readonly Datum[]): string {
  const present = args.map((arg) => arg ?? '<no value>')
  return present.length === 1 && isText(present[0]) ? shown(present[0]) : sprint(present)
}

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

function escapedForScript(text: string): string {
  return text
    .replace(/['"\\]/g, '\\$&')
    .replace(
      /[<>&=\p{Cc}]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu,
      (char) => `\\u${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`,
    )
}

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['eq', (_context, args) => equals(args)],
  ['ge', (_context, args) => !isLess(two(args))],
  ['gt', (_context, args) => !isLess(two(args)) && !equals(args)],
  [
    'html',
    (_context, args) => textFrom(args).replace(/["&'<>\0]/g, (char) => HTML[char] as string),
  ],
  ['index', (_context, args) => index(args)],
  ['js', (_context, args) => escapedForScript(textFrom(args))],
  ['le', (_context, args) => isLess(two(args)) || equals(args)],
  ['len', (_context, args) => lengthOf(one(args))],
  ['lt', (_context, args) => isLess(two(args))],
  ['ne', (_context, args) => !equals(two(args))],
  ['not', (_context, args) => !isTrue(one(args))],
  ['print', (_context, args) => sprint(args)],
  ['printf', printf],
  ['println', (_context, args) => `${args.map(shown).join(' ')}\n`],
  ['slice', (_context, args) => slice(args)],
  ['urlquery', (_context, args) => escaped(textFrom(args))],
])

/** All names that a template may call. `call` has nothing to call here, and is refused when it comes to that. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...FUNCTIONS.keys(),
  'and',
  'call',
  'or',
])
