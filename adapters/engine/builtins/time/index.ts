/** Times as Go and OPA compute them, from nanoseconds that are given: nothing here reads a clock. */
import { integer, isNumber } from '../../value/number.ts'
import { isArray, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { intOperand, wrongType } from '../operands.ts'
import { int64, onTexts } from '../texts.ts'
import { daysIn, type Fields, fieldsOf, secondsFrom, weekdayOf } from './calendar.ts'
import { parseDuration } from './duration.ts'
import { format, type Shown } from './format.ts'
import { LAYOUTS, WEEKDAYS } from './layout.ts'
import { parse } from './parse.ts'
import { fromWall, UTC, type Zone, zoneOf } from './zone.ts'

const SECOND = 1_000_000_000n

interface Moment {
  readonly nanos: bigint
  readonly zone: Zone
  readonly layout: string
}

/** A number of nanoseconds, or `[nanoseconds, zone, layout]`, of which the last two may be missing. */
function momentOf(context: Context, value: Value): Moment | undefined {
  if (isNumber(value)) return made(context, value, '', '')
  if (!isArray(value)) return wrongType(context, 1, value, 'number', 'array')
  const [number, zone = '', layout = ''] = value
  if (!isNumber(number)) return wrongType(context, 1, value, 'number', 'array')
  if (typeof zone !== 'string') return wrongType(context, 1, zone, 'string')
  const at = zoneOf(zone)
  if (at === undefined) return fail(context, 'unknown time zone')
  if (typeof layout !== 'string') return wrongType(context, 1, layout, 'string')
  return made(context, number, zone, layout)
}

function made(context: Context, number: Value, zone: string, layout: string): Moment | undefined {
  const nanos = int64(number)
  if (nanos === undefined) return fail(context, 'timestamp too big')
  return { nanos, zone: zoneOf(zone) ?? UTC, layout }
}

function ofMoment(read: (shown: Shown, moment: Moment) => Value): Builtin {
  return (context, value: Value) => {
    const moment = momentOf(context, value)
    return moment === undefined ? undefined : read(shownIn(moment), moment)
  }
}

function secondsOf(nanos: bigint): number {
  const rest = nanos % SECOND
  return Number((nanos - rest) / SECOND) - (rest < 0n ? 1 : 0)
}

function shownIn({ nanos, zone }: Moment): Shown {
  const seconds = secondsOf(nanos)
  const offset = zone.offset(seconds)
  return {
    fields: fieldsOf(seconds + offset),
    nanos: Number(nanos - BigInt(seconds) * SECOND),
    offset,
    abbreviation: () => zone.abbreviation(seconds),
  }
}

function safeNanos(context: Context, nanos: bigint | undefined): Value | undefined {
  if (nanos === undefined) return fail(context, 'cannot be parsed')
  return BigInt.asIntN(64, nanos) === nanos
    ? integer(nanos)
    : fail(context, 'time outside of valid range')
}

/** Fields that are out of range count on: the 31st of February is in March. */
const addDate: Builtin = (context, value: Value, ...added: Value[]) => {
  const moment = momentOf(context, value)
  if (moment === undefined) return undefined
  const counts: number[] = []
  for (const [i, count] of added.entries()) {
    const whole = intOperand(context, i + 2, count)
    if (whole === undefined) return undefined
    if (Math.abs(whole) > 1e12) return fail(context, 'time outside of valid range')
    counts.push(whole)
  }
  const [years = 0, months = 0, days = 0] = counts
  const { fields, nanos } = shownIn(moment)
  const { year, month, day, ...clock } = fields
  const wall = secondsFrom({ year: year + years, month: month + months, day: day + days, ...clock })
  if (!Number.isSafeInteger(wall) || Math.abs(wall) > 1e11)
    return fail(context, 'time outside of valid range')
  const seconds = fromWall(moment.zone, wall)
  return safeNanos(context, BigInt(seconds) * SECOND + BigInt(nanos))
}

/** Both in the first one's zone. Each unit that would be negative borrows from the one before it. */
const diff: Builtin = (context, first: Value, second: Value) => {
  const a = momentOf(context, first)
  const b = a === undefined ? undefined : momentOf(context, second)
  if (a === undefined || b === undefined) return undefined
  const moments = [a, { ...b, zone: a.zone }].sort((x, y) => (x.nanos < y.nanos ? -1 : 1))
  const [from, to] = moments.map((moment) => shownIn(moment).fields)
  const result = listOf(to!).map((value, i) => value - listOf(from!)[i]!)
  const sizes = [0, 12, daysIn(from!.year, from!.month), 24, 60, 60]
  for (let i = 5; i > 0; i--) {
    if (result[i]! >= 0) continue
    result[i]! += sizes[i]!
    result[i - 1]! -= 1
  }
  return result
}

function listOf({ year, month, day, hour, minute, second }: Fields): readonly number[] {
  return [year, month, day, hour, minute, second]
}

function layoutOf(name: string): string {
  return LAYOUTS.get(name) ?? name
}

export const TIME: Family = {
  'time.now_ns': (context) =>
    context.now === undefined ? fail(context, 'no time is given') : integer(context.now),
  'time.add_date': addDate,
  'time.clock': ofMoment(({ fields }) => listOf(fields).slice(3)),
  'time.date': ofMoment(({ fields }) => listOf(fields).slice(0, 3)),
  'time.diff': diff,
  'time.format': ofMoment((shown, { layout }) => format(shown, layoutOf(layout || 'RFC3339Nano'))),
  'time.parse_duration_ns': onTexts((context, text = '') => {
    const nanos = parseDuration(text)
    return nanos === undefined ? fail(context, 'invalid duration') : integer(nanos)
  }),
  'time.parse_ns': onTexts((context, layout = '', text = '') =>
    safeNanos(context, parse(layoutOf(layout), text)),
  ),
  'time.parse_rfc3339_ns': onTexts((context, text = '') =>
    safeNanos(context, parse(layoutOf('RFC3339'), text)),
  ),
  'time.weekday': ofMoment(({ fields }) => WEEKDAYS[weekdayOf(fields)]!),
}
