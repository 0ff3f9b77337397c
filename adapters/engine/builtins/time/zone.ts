/** Time zones of the IANA database, as the runtime's ICU has them. */
import { type fieldsOf, secondsFrom } from './calendar.ts'

export interface Zone {
  /** Seconds east of UTC. @param seconds from 1970, in UTC */
  offset(seconds: number): number
  abbreviation(seconds: number): string
}

export const UTC: Zone = { offset: () => 0, abbreviation: () => 'UTC' }

/** Zones differ by their rules alone, so what a policy names is kept; there are some six hundred names. */
const zones = new Map<string, Zone>()

/** Undefined where there is no such zone. Names are case-sensitive, as files of the database are. */
export function zoneOf(name: string): Zone | undefined {
  if (name === '' || name === 'UTC') return UTC
  const known = zones.get(name)
  if (known !== undefined) return known
  if (!/^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/.test(name)) return undefined
  const zone = intlZone(name)
  if (zone !== undefined && zones.size < 1000) zones.set(name, zone)
  return zone
}

/** Locales whose readers know a zone by its abbreviation, in the order in which they are asked. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-ZA', 'en-IN'] as const

function intlZone(timeZone: string): Zone | undefined {
  let wall: Intl.DateTimeFormat
  try {
    wall = new Intl.DateTimeFormat('en-US', { timeZone, ...WALL })
  } catch {
    return undefined
  }
  const names = LOCALES.map(
    (locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }),
  )
  const offset = (seconds: number): number => {
    const part = Object.fromEntries(
      wall.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)]),
    )
    return secondsFrom(part as unknown as ReturnType<typeof fieldsOf>) - seconds
  }
  const abbreviation = (seconds: number): string => {
    for (const format of names) {
      const name = format
        .formatToParts(seconds * 1000)
        .find(({ type }) => type === 'timeZoneName')?.value
      if (
        name !== undefined &&
        /^[A-Z]{3,5}$/.test(name) &&
        (name !== 'GMT' || offset(seconds) === 0)
      )
        return name
    }
    return numeric(offset(seconds))
  }
  return { offset, abbreviation }
}

const WALL = {
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const

/** The database's own name of an offset that has no other. */
function numeric(offset: number): string {
  const minutes = Math.trunc(Math.abs(offset) / 60)
  const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0')
  return `${offset < 0 ? '-' : '+'}${digits.replace(/00$/, '')}`
}

/** Of a wall-clock time, which a zone may show twice or never: Go's choice, the offset that held before or after the change. */
export function fromWall(zone: Zone, wall: number): number {
  const offset = zone.offset(wall)
  return offset === 0 ? wall : wall - zone.offset(wall - offset)
}
