/**
 * Go's layouts of time: the reference time `Mon Jan 2 15:04:05 MST 2006`, written as the caller wants it.
 *
 * @see https://pkg.go.dev/time#pkg-constants
 */

/** A layout's text in front of an element, and the element. The last piece has no element. */
export interface Piece {
  readonly literal: string
  readonly element: string
}

/** Names that OPA takes for a layout. */
export const LAYOUTS: ReadonlyMap<string, string> = new Map([
  ['ANSIC', 'Mon Jan _2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['RubyDate', 'Mon Jan 02 15:04:05 -0700 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
])

export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
export const WEEKDAYS: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]

/** Longer elements stand before those that they begin with; a fraction is one only where no digit follows. */
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|[345]|PM|pm|[-Z](?:070000|07:00:00|0700|07:00|07)|[.,](?:0+|9+)(?![0-9])/g

/** Always ends with a piece whose element is empty. */
export function piecesOf(layout: string): readonly Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: element, index } of layout.matchAll(ELEMENT)) {
    pieces.push({ literal: layout.slice(from, index), element })
    from = index + element.length
  }
  return [...pieces, { literal: layout.slice(from), element: '' }]
}

/** The form of a numeric zone: `Z0700` shows UTC as a Z. */
export interface ZoneForm {
  readonly zulu: boolean
  readonly colon: boolean
  readonly minutes: boolean
  readonly seconds: boolean
}

export function zoneForm(element: string): ZoneForm | undefined {
  if (!/^[-Z]07/.test(element)) return undefined
  const digits = element.replace(/\D/g, '').length
  return {
    zulu: element.startsWith('Z'),
    colon: element.includes(':'),
    minutes: digits >= 4,
    seconds: digits === 6,
  }
}

export function isFraction(element: string): boolean {
  return /^[.,]/.test(element)
}
