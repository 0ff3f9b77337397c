/** The proleptic Gregorian calendar, counted in days and seconds from 1970. No clock is read here. */

const DAY = 86_400

/** Wall-clock time, as a zone shows it. */
export interface Fields {
  readonly year: number
  /** 1 is January. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** Days from 1970-01-01; a day or month out of range counts on, as Go's `time.Date` does. */
export function daysFrom(year: number, month: number, day: number): number {
  const months = year * 12 + (month - 1)
  // Years begin in March, so that the leap day is a year's last.
  const y = Math.floor((months - 2) / 12)
  const m = months - 2 - y * 12
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * m + 2) / 5)
  const days = ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear
  return era * 146_097 + days - 719_468 + (day - 1)
}

/** @param seconds from 1970, as the zone's wall clock shows them */
export function fieldsOf(seconds: number): Fields {
  const days = Math.floor(seconds / DAY)
  const rest = seconds - days * DAY
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const y = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * y + Math.floor(y / 4) - Math.floor(y / 100))
  const m = Math.floor((5 * ofYear + 2) / 153)
  const month = m < 10 ? m + 3 : m - 9
  return {
    year: y + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * m + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
  }
}

export function secondsFrom(fields: Fields): number {
  const { year, month, day, hour, minute, second } = fields
  return daysFrom(year, month, day) * DAY + hour * 3600 + minute * 60 + second
}

export function daysIn(year: number, month: number): number {
  return daysFrom(year, month + 1, 1) - daysFrom(year, month, 1)
}

/** 0 is Sunday. */
export function weekdayOf({ year, month, day }: Fields): number {
  return (((daysFrom(year, month, day) + 4) % 7) + 7) % 7
}

/** 1 is the first of January. */
export function dayOfYear({ year, month, day }: Fields): number {
  return daysFrom(year, month, day) - daysFrom(year, 1, 1) + 1
}
