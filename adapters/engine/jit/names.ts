/**
 * Which names can be read as properties. A list in the text and not what this engine happens to have: programs are the same bytes
 * everywhere, and an engine that has more names than these refuses a program that reads one of them ({@link inherited}).
 */
import { Decimal } from '../value/number.ts'
import { RegoObject, RegoSet } from '../value/value.ts'

/** What arrays, scalars, sets and objects inherit as methods: a function that is found under such a name is no member. */
const METHODS: ReadonlySet<string> = new Set(
  `
__defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ add anchor at big blink
bold charAt charCodeAt codePointAt concat constructor copyWithin endsWith entries every fill
filter find findIndex findLast findLastIndex fixed flat flatMap fontcolor fontsize forEach
get has hasOwnProperty includes indexOf isPrototypeOf isWellFormed italics join keys
lastIndexOf link localeCompare map match matchAll normalize padEnd padStart pop
propertyIsEnumerable push reduce reduceRight repeat replace replaceAll reverse search set
shift slice small some sort sorted splice split startsWith strike sub substr substring sup
toExponential toFixed toLocaleLowerCase toLocaleString toLocaleUpperCase toLowerCase
toPrecision toReversed toSorted toSpliced toString toUpperCase toWellFormed trim trimEnd
trimLeft trimRight trimStart unshift valueOf values with
`
    .trim()
    .split(/\s+/),
)

/** What they have under such a name is a value: only looking it up tells whose it is. */
const VALUES: ReadonlySet<string> = new Set([
  '__proto__',
  'coefficient',
  'exponent',
  'length',
  'members',
  'size',
])

const NAME = /^[A-Za-z_$][\w$]*$/

/** `plain`: the property is the member. `method`: unless it is a function. `none`: the member has to be looked up. */
export function propertyKind(name: string): 'method' | 'none' | 'plain' {
  if (!NAME.test(name) || VALUES.has(name)) return 'none'
  return METHODS.has(name) ? 'method' : 'plain'
}

const PROTOTYPES: readonly object[] = [
  Array,
  BigInt,
  Boolean,
  Decimal,
  Number,
  RegoObject,
  RegoSet,
  String,
].map(({ prototype }) => prototype as object)

/** The first of these names that something inherits here after all. */
export function inherited(names: readonly string[]): string | undefined {
  return names.find((name) => PROTOTYPES.some((prototype) => name in prototype))
}

const OF_SCALARS: readonly object[] = [BigInt, Boolean, Number, String].map(
  ({ prototype }) => prototype as object,
)

/** How many names objects inherit, also those that nothing enumerates, and how many scalars inherit that were put there by assigning. */
export function inheritedCount(): number {
  let count = Reflect.ownKeys(Object.prototype).length
  for (const prototype of OF_SCALARS) count += Object.keys(prototype).length
  return count
}
