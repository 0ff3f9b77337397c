/** A moment as text, by Go's layouts. */
import { dayOfYear, type Fields, weekdayOf } from './calendar.ts'
import { isFraction, MONTHS, piecesOf, WEEKDAYS, type ZoneForm, zoneForm } from './layout.ts'

export interface Shown {
  readonly fields: Fields
  /** Within the second. */
  readonly nanos: number
  /** Seconds east of UTC. */
  readonly offset: number
  /** Found where a layout asks for it. */
  abbreviation(): string
}

export function format(shown: Shown, layout: string): string {
  return piecesOf(layout)
    .map(({ literal, element }) => literal + (element === '' ? '' : written(element, shown)))
    .join('')
}

function written(element: string, shown: Shown): string {
  const write = ELEMENTS[element]
  if (write !== undefined) return write(shown.fields)
  const zone = zoneForm(element)
  if (zone !== undefined) return offsetText(shown.offset, zone)
  if (isFraction(element)) return fraction(element, shown.nanos)
  return shown.abbreviation()
}

const ELEMENTS: Readonly<Record<string, (fields: Fields) => string>> = {
  '2006': ({ year }) => padded(year, 4),
  '06': ({ year }) => padded(Math.max(year, 0) % 100, 2),
  '1': ({ month }) => String(month),
  '01': ({ month }) => padded(month, 2),
  Jan: ({ month }) => MONTHS[month - 1]!.slice(0, 3),
  January: ({ month }) => MONTHS[month - 1]!,
  '2': ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2),
  '02': ({ day }) => padded(day, 2),
  __2: (fields) => String(dayOfYear(fields)).padStart(3),
  '002': (fields) => padded(dayOfYear(fields), 3),
  Mon: (fields) => WEEKDAYS[weekdayOf(fields)]!.slice(0, 3),
  Monday: (fields) => WEEKDAYS[weekdayOf(fields)]!,
  '15': ({ hour }) => padded(hour, 2),
  '3': ({ hour }) => String(hour % 12 || 12),
  '03': ({ hour }) => padded(hour % 12 || 12, 2),
  '4': ({ minute }) => String(minute),
  '04': ({ minute }) => padded(minute, 2),
  '5': ({ second }) => String(second),
  '05': ({ second }) => padded(second, 2),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
}

function padded(value: number, width: number): string {
  return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(width, '0')}`
}

/** Zeros keep their places, nines drop what is zero at the end. */
function fraction(element: string, nanos: number): string {
  const digits = padded(nanos, 9)
  if (element[1] === '0') return element[0] + digits.slice(0, element.length - 1)
  const kept = digits.slice(0, element.length - 1).replace(/0+$/, '')
  return kept === '' ? '' : element[0] + kept
}

export function offsetText(offset: number, form: ZoneForm): string {
  if (form.zulu && offset === 0) return 'Z'
  const minutes = Math.trunc(offset / 60)
  const size = Math.abs(minutes)
  const colon = form.colon ? ':' : ''
  const hours = `${minutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}`
  const rest = form.minutes ? colon + padded(size % 60, 2) : ''
  return hours + rest + (form.seconds ? colon + padded(Math.abs(offset) % 60, 2) : '')
}
