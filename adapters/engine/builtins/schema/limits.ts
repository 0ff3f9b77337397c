/** Keywords that need nothing but the value: types, sizes, and numbers compared exactly. */
import { compareNumbers, isInteger, isNumber, parts, type RegoNumber } from '../../value/number.ts'
import { get, isArray, typeName, type Value } from '../../value/value.ts'
import { marshal } from '../json/index.ts'

export interface Checked {
  readonly schema: Value
  readonly fails: (type: string, description: string) => void
}

/** What the message says where no type of the schema is the value's. */
export function typeMismatch(wanted: Value | undefined, value: Value): string | undefined {
  const types = (
    wanted === undefined ? [] : isArray(wanted) ? wanted : [wanted]
  ) as readonly string[]
  const given = isNumber(value) && isInteger(value) ? 'integer' : typeName(value)
  const fits = types.includes(given) || (given === 'integer' && types.includes('number'))
  if (types.length === 0 || fits) return undefined
  const expected = types.length === 1 ? types[0] : `[${types.join(',')}]`
  return `Invalid type. Expected: ${expected}, given: ${given}`
}

export function sizes(
  { schema, fails }: Checked,
  size: number,
  name: string,
  [least, most]: readonly [string, string],
  subject: string,
): void {
  const [min, max] = [get(schema, `min${name}`), get(schema, `max${name}`)] as RegoNumber[]
  const what = name.toLowerCase()
  if (min !== undefined && compareNumbers(size, min) < 0)
    fails(least, `${subject} have at least ${min} ${what}`)
  if (max !== undefined && compareNumbers(size, max) > 0)
    fails(most, `${subject} have at most ${max} ${what}`)
}

export function unique({ fails }: Checked, value: readonly Value[]): void {
  const seen = new Map<string, number>()
  for (const [j, item] of value.entries()) {
    const text = marshal(item)
    const i = seen.get(text)
    if (i !== undefined) fails('unique', `array items[${i},${j}] must be unique`)
    seen.set(text, j)
  }
}

export function checkNumber({ schema, fails }: Checked, value: RegoNumber): void {
  const multiple = get(schema, 'multipleOf') as RegoNumber | undefined
  if (multiple !== undefined && !isMultiple(value, multiple))
    fails('multiple_of', `Must be a multiple of ${multiple}`)
  const [max, above] = bounds(schema, 'maximum', 'exclusiveMaximum')
  if (max !== undefined && compareNumbers(value, max) > 0)
    fails('number_lte', `Must be less than or equal to ${max}`)
  if (above !== undefined && compareNumbers(value, above) >= 0)
    fails('number_lt', `Must be less than ${above}`)
  const [min, below] = bounds(schema, 'minimum', 'exclusiveMinimum')
  if (min !== undefined && compareNumbers(value, min) < 0)
    fails('number_gte', `Must be greater than or equal to ${min}`)
  if (below !== undefined && compareNumbers(value, below) <= 0)
    fails('number_gt', `Must be greater than ${below}`)
}

function bounds(
  schema: Value,
  name: string,
  exclusive: string,
): readonly [bound: RegoNumber | undefined, exclusive: RegoNumber | undefined] {
  const bound = get(schema, name) as RegoNumber | undefined
  const other = get(schema, exclusive)
  if (other === true) return [undefined, bound]
  return [bound, isNumber(other) ? other : undefined]
}

/** Exact; a number whose digits would fill memory is no multiple of anything. */
function isMultiple(value: RegoNumber, of: RegoNumber): boolean {
  const [a, i] = parts(value)
  const [b, j] = parts(of)
  if (Math.abs(i - j) > 10_000) return false
  const scale = 10n ** BigInt(Math.abs(i - j))
  return i >= j ? (a * scale) % b === 0n : a % (b * scale) === 0n
}
