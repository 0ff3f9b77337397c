/**
 * Time as Go and OPA compute it, in UTC, from nanoseconds that are given: nothing here reads a clock. Other time zones would need a
 * database that changes, so they are refused.
 */
import { type HostBuiltin, JsonText, type Operand, onTexts, Unsupported } from './operand.ts'

const NANOS = 1_000_000_000n
const MILLI = 1_000_000n
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

function nanos(value: bigint): JsonText | undefined {
  return value < INT64.min || value > INT64.max ? undefined : new JsonText(value.toString())
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/

function parseRfc3339(text: string): JsonText | undefined {
  const found = RFC3339.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map(Number)
  const [fraction = '', sign = '+', zoneHour = '0', zoneMinute = '0'] = found.slice(7)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  if (Number(zoneHour) > 24 || Number(zoneMinute) > 60) return undefined
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -60 : 60)
  const seconds = BigInt(utc(year, month - 1, day, hour, minute, second) / 1000 - offset)
  return nanos(seconds * NANOS + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}

/** Date.UTC takes years below 100 for the last century's. */
function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return date.setUTCHours(hour, minute, second, 0)
}

function daysIn(year: number, month: number): number {
  return new Date(utc(year, month, 0)).getUTCDate()
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: MILLI,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
}

function parseDuration(text: string): JsonText | undefined {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return nanos(0n)
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) {
    if (/[dwy]/.test(rest)) throw new Unsupported('days, weeks and years in a duration')
    return undefined
  }
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = UNITS[unit]!
    total += BigInt(whole || '0') * scale
    total += (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  return nanos(sign === '-' ? -total : total)
}

interface Instant {
  readonly nanos: bigint
  /** To the millisecond, rounded down. */
  readonly date: Date
  readonly layout: string
}

/** A number of nanoseconds, or `[nanoseconds, zone, layout]`. @throws Unsupported for a zone that is not UTC */
function instant(operand: Operand): Instant | undefined {
  const value = operand.json()
  const [number, zone = '', layout = ''] = Array.isArray(value) ? value : [value]
  if (typeof number !== 'number' || typeof zone !== 'string' || typeof layout !== 'string')
    return undefined
  const [digits] = /-?\d[^,\]]*/.exec(operand.term()) ?? ['']
  if (!/^-?\d+$/.test(digits)) return undefined
  const all = BigInt(digits)
  if (all < INT64.min || all > INT64.max) return undefined
  if (zone !== '' && zone !== 'UTC') throw new Unsupported('a time zone that is not UTC')
  return { nanos: all, date: new Date(Number(floor(all, MILLI))), layout }
}

function floor(value: bigint, by: bigint): bigint {
  return value >= 0n ? value / by : -((-value + by - 1n) / by)
}

function ofInstant(read: (at: Instant) => ReturnType<HostBuiltin>): HostBuiltin {
  return ([operand]) => {
    const at = instant(operand!)
    return at === undefined ? undefined : read(at)
  }
}

function format({ date, layout, nanos: all }: Instant): string {
  if (!['', 'RFC3339', 'RFC3339Nano'].includes(layout))
    throw new Unsupported('a layout that is not RFC 3339')
  const seconds = date.toISOString().slice(0, 19)
  const fraction = (all - floor(all, NANOS) * NANOS).toString().padStart(9, '0').replace(/0+$/, '')
  return `${seconds}${layout !== 'RFC3339' && fraction !== '' ? `.${fraction}` : ''}Z`
}

const addDate: HostBuiltin = ([operand, ...rest]) => {
  const at = instant(operand!)
  const [years, months, days] = rest.map((one) => one.json())
  if (at === undefined || ![years, months, days].every(Number.isSafeInteger)) return undefined
  const { date } = at
  const moved = utc(
    date.getUTCFullYear() + (years as number),
    date.getUTCMonth() + (months as number),
    date.getUTCDate() + (days as number),
  )
  if (Number.isNaN(moved)) return undefined
  const day = 86_400n * NANOS
  return nanos(BigInt(moved) * MILLI + (at.nanos - floor(at.nanos, day) * day))
}

/** Year, month, day, hour, minute and second of a date, and how many of each make one of those before it. */
const diff: HostBuiltin = (operands) => {
  const [a, b] = operands.map(instant)
  if (a === undefined || b === undefined) return undefined
  const [from, to] = a.nanos <= b.nanos ? [a.date, b.date] : [b.date, a.date]
  const [start, end] = [fields(from), fields(to)]
  const result = end.map((value, i) => value - start[i]!)
  const borrow = (i: number, size: number): void => {
    if (result[i]! >= 0) return
    result[i] = result[i]! + size
    result[i - 1] = result[i - 1]! - 1
  }
  borrow(5, 60)
  borrow(4, 60)
  borrow(3, 24)
  borrow(2, daysIn(start[0]!, start[1]!))
  borrow(1, 12)
  return result
}

function fields(date: Date): readonly number[] {
  const day = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  return [...day, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
}

export const TIME: readonly (readonly [string, HostBuiltin])[] = [
  [
    'time.now_ns',
    // Wherever a policy may be asked, the decision's own time is in its place.
    () => {
      throw new Unsupported('a clock')
    },
  ],
  ['time.add_date', addDate],
  ['time.clock', ofInstant(({ date }) => fields(date).slice(3))],
  ['time.date', ofInstant(({ date }) => fields(date).slice(0, 3))],
  ['time.diff', diff],
  ['time.format', ofInstant(format)],
  ['time.parse_duration_ns', onTexts((text = '') => parseDuration(text))],
  ['time.parse_rfc3339_ns', onTexts((text = '') => parseRfc3339(text))],
  ['time.weekday', ofInstant(({ date }) => DAYS[date.getUTCDay()])],
]
