/**
 * Text as a moment, by Go's layouts and with Go's leniency: names in any case, hours of one digit, fractions that the layout does not
 * name, offsets up to 24:60.
 */
import { daysFrom, daysIn, secondsFrom } from './calendar.ts'
import { isFraction, MONTHS, type Piece, piecesOf, WEEKDAYS, zoneForm } from './layout.ts'

interface Reading {
  rest: string
  year: number
  month: number
  day: number
  dayOfYear: number
  hour: number
  minute: number
  second: number
  nanos: number
  half: '' | 'AM' | 'PM'
  /** Seconds east of UTC. A zone known by its abbreviation alone counts as UTC, as in Go. */
  offset: number
}

class Unreadable extends Error {}

/** Nanoseconds from 1970; undefined where the text does not follow the layout. */
export function parse(layout: string, text: string): bigint | undefined {
  const reading: Reading = { rest: text, ...NOTHING }
  const pieces = piecesOf(layout)
  try {
    for (const [i, { literal, element }] of pieces.entries()) {
      skip(reading, literal)
      if (element !== '') read(reading, element, pieces[i + 1])
      else if (reading.rest !== '') return undefined
    }
    return momentOf(reading)
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

const NOTHING: Omit<Reading, 'rest'> = {
  year: 0,
  month: -1,
  day: -1,
  dayOfYear: -1,
  hour: 0,
  minute: 0,
  second: 0,
  nanos: 0,
  half: '',
  offset: 0,
}

/** A run of blanks in the layout is any run of blanks, none at the text's end. */
function skip(reading: Reading, literal: string): void {
  for (let left = literal; left !== ''; ) {
    if (left.startsWith(' ')) {
      if (reading.rest !== '' && !reading.rest.startsWith(' ')) throw new Unreadable()
      left = left.replace(/^ +/, '')
      reading.rest = reading.rest.replace(/^ +/, '')
    } else {
      const run = /^[^ ]+/.exec(left)![0]
      if (!reading.rest.startsWith(run)) throw new Unreadable()
      left = left.slice(run.length)
      reading.rest = reading.rest.slice(run.length)
    }
  }
}

function read(reading: Reading, element: string, next: Piece | undefined): void {
  const known = ELEMENTS[element]
  if (known !== undefined) known(reading)
  else if (isFraction(element)) readFraction(reading, element)
  else if (element === 'MST') readAbbreviation(reading)
  else readOffset(reading, element)
  if (element === '5' || element === '05') readExtraFraction(reading, next)
}

const ELEMENTS: Readonly<Record<string, (reading: Reading) => void>> = {
  '2006': (r) => (r.year = Number(take(r, /^\d{4}/))),
  '06': (r) => {
    const year = Number(take(r, /^\d{2}/))
    r.year = year + (year >= 69 ? 1900 : 2000)
  },
  '1': (r) => (r.month = within(take(r, /^\d\d?/), 1, 12)),
  '01': (r) => (r.month = within(take(r, /^\d\d/), 1, 12)),
  Jan: (r) => (r.month = named(r, MONTHS, 3) + 1),
  January: (r) => (r.month = named(r, MONTHS) + 1),
  Mon: (r) => void named(r, WEEKDAYS, 3),
  Monday: (r) => void named(r, WEEKDAYS),
  '2': (r) => (r.day = Number(take(r, /^\d\d?/))),
  _2: (r) => (r.day = Number(take(r, /^ ?\d\d?/))),
  '02': (r) => (r.day = Number(take(r, /^\d\d/))),
  __2: (r) => (r.dayOfYear = Number(take(r, /^ {0,2}\d{1,3}/))),
  '002': (r) => (r.dayOfYear = Number(take(r, /^\d{3}/))),
  '15': (r) => (r.hour = within(take(r, /^\d\d?/), 0, 23)),
  '3': (r) => (r.hour = within(take(r, /^\d\d?/), 0, 12)),
  '03': (r) => (r.hour = within(take(r, /^\d\d/), 0, 12)),
  '4': (r) => (r.minute = within(take(r, /^\d\d?/), 0, 59)),
  '04': (r) => (r.minute = within(take(r, /^\d\d/), 0, 59)),
  '5': (r) => (r.second = within(take(r, /^\d\d?/), 0, 59)),
  '05': (r) => (r.second = within(take(r, /^\d\d/), 0, 59)),
  PM: (r) => (r.half = take(r, /^[AP]M/) as 'AM'),
  pm: (r) => (r.half = take(r, /^[ap]m/).toUpperCase() as 'AM'),
}

function take(reading: Reading, pattern: RegExp): string {
  const found = pattern.exec(reading.rest)?.[0]
  if (found === undefined) throw new Unreadable()
  reading.rest = reading.rest.slice(found.length)
  return found
}

function within(digits: string, min: number, max: number): number {
  const value = Number(digits)
  if (value < min || value > max) throw new Unreadable()
  return value
}

function named(reading: Reading, names: readonly string[], length?: number): number {
  const index = names.findIndex((name) => {
    const short = name.slice(0, length)
    return reading.rest.slice(0, short.length).toLowerCase() === short.toLowerCase()
  })
  const name = names[index]
  if (name === undefined) throw new Unreadable()
  reading.rest = reading.rest.slice(name.slice(0, length).length)
  return index
}

function readFraction(reading: Reading, element: string): void {
  // Nines stand for a fraction that may be missing, zeros for exactly as many digits.
  if (element[1] === '9') {
    const digits = /^[.,]\d+/.exec(reading.rest)?.[0]
    if (digits !== undefined) setFraction(reading, digits)
    return
  }
  const places = element.length - 1
  setFraction(
    reading,
    take(
      { ...reading },
      new RegExp(`^[.,]\\d{${Math.min(places, 9)}}.{${Math.max(places - 9, 0)}}`, 's'),
    ),
  )
}

function setFraction(reading: Reading, text: string): void {
  reading.nanos = Number(text.slice(1, 10).padEnd(9, '0'))
  reading.rest = reading.rest.slice(text.length)
}

/** A fraction behind the seconds is read even where the layout has none. */
function readExtraFraction(reading: Reading, next: Piece | undefined): void {
  if (next !== undefined && isFraction(next.element)) return
  const digits = /^[.,]\d+/.exec(reading.rest)?.[0]
  if (digits !== undefined) setFraction(reading, digits)
}

function readOffset(reading: Reading, element: string): void {
  const { zulu, colon, minutes, seconds } = zoneForm(element)!
  if (zulu && !seconds && reading.rest.startsWith('Z')) {
    reading.rest = reading.rest.slice(1)
    reading.offset = 0
    return
  }
  const joint = colon ? ':' : ''
  const tail = `${minutes ? `${joint}\\d\\d` : ''}${seconds ? `${joint}\\d\\d` : ''}`
  const text = take(reading, new RegExp(`^[+-]\\d\\d${tail}`))
  const [hour = 0, minute = 0, second = 0] = (text.match(/\d\d/g) ?? []).map(Number)
  if (hour > 24 || minute > 60 || second > 60) throw new Unreadable()
  reading.offset = ((hour * 60 + minute) * 60 + second) * (text.startsWith('-') ? -1 : 1)
}

function readAbbreviation(reading: Reading): void {
  const found =
    /^(?:UTC|ChST|MeST|GMT(?:[+-]\d+)?|[+-]\d+)/.exec(reading.rest)?.[0] ?? upperCase(reading.rest)
  if (found === undefined) throw new Unreadable()
  const hours = Number(/\d+$/.exec(found)?.[0] ?? '0')
  if (hours <= 23) {
    reading.rest = reading.rest.slice(found.length)
    return
  }
  // An offset that is none ends after GMT; alone it is no zone.
  if (!found.startsWith('GMT')) throw new Unreadable()
  reading.rest = reading.rest.slice(3)
}

function upperCase(text: string): string | undefined {
  const run = /^[A-Z]{0,6}/.exec(text)![0]
  if (run.length === 3) return run
  return (run.length === 4 || run.length === 5) && (run.endsWith('T') || run === 'WITA')
    ? run
    : undefined
}

function momentOf(reading: Reading): bigint {
  const { half, hour } = reading
  const [month, day] = dateOf(reading)
  if (day < 1 || day > daysIn(reading.year, month)) throw new Unreadable()
  const at = half === 'PM' && hour < 12 ? hour + 12 : half === 'AM' && hour === 12 ? 0 : hour
  const seconds = secondsFrom({ ...reading, month, day, hour: at }) - reading.offset
  return BigInt(seconds) * 1_000_000_000n + BigInt(reading.nanos)
}

function dateOf({ year, month, day, dayOfYear }: Reading): readonly [month: number, day: number] {
  if (dayOfYear < 0) return [month < 0 ? 1 : month, day < 0 ? 1 : day]
  if (dayOfYear < 1 || dayOfYear > daysFrom(year, 13, 1) - daysFrom(year, 1, 1))
    throw new Unreadable()
  let named = 1
  while (daysFrom(year, named + 1, 1) - daysFrom(year, 1, 1) < dayOfYear) named++
  const ofMonth = dayOfYear - (daysFrom(year, named, 1) - daysFrom(year, 1, 1))
  if ((month >= 0 && month !== named) || (day >= 0 && day !== ofMonth)) throw new Unreadable()
  return [named, ofMonth]
}
