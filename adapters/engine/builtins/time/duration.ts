/** Go's durations, with the days, weeks and years that OPA adds. */
import { MAX_INT64 } from '../texts.ts'

const NANOS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  // The micro sign and the Greek letter.
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])

/** Of units longer than an hour. */
const HOURS: ReadonlyMap<string, number> = new Map([
  ['d', 24],
  ['w', 7 * 24],
  ['y', 365 * 24],
])

/** Nanoseconds; undefined for what is no duration, or one of over 292 years. */
export function parseDuration(text: string): bigint | undefined {
  return /[dwy]/.test(text) ? parseLong(text) : parsePlain(text)
}

function parseLong(text: string): bigint | undefined {
  if (!/^[-+]?(?:[0-9.]+(?:ms|us|\u00b5s|ns|[a-z]))+$/.test(text)) return undefined
  let failed = false
  const inHours = text.replace(/([0-9.]+)([dwy])/g, (_, digits: string, unit: string) => {
    if (!/^(?:\d+\.?\d*|\.\d+)$/.test(digits)) failed = true
    const hours = Number(digits) * HOURS.get(unit)!
    // Beyond this a duration overflows anyway.
    if (hours >= 1e15) failed = true
    return `${decimalText(hours)}h`
  })
  return failed ? undefined : parsePlain(inHours)
}

/** A double in decimal notation, no digit more than it takes to say it. */
function decimalText(value: number): string {
  const [digits = '', power = '0'] = String(value).split('e')
  if (power === '0') return digits
  return `0.${'0'.repeat(-Number(power) - 1)}${digits.replace('.', '')}`
}

function parsePlain(text: string): bigint | undefined {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return 0n
  if (!/^(?:(?:\d+\.?\d*|\.\d+)[^0-9.]+)+$/.test(rest)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(
    /(\d*)\.?(\d*)([^0-9.]+)/g,
  )) {
    const nanos = NANOS.get(unit)
    if (nanos === undefined) return undefined
    total += BigInt(whole) * nanos + partOf(fraction, nanos)
  }
  if (total > MAX_INT64 + (sign === '-' ? 1n : 0n)) return undefined
  return sign === '-' ? -total : total
}

/** In doubles, as Go computes it: a nanosecond's fraction is cut off. */
function partOf(fraction: string, nanos: bigint): bigint {
  let digits = fraction.slice(0, 19)
  // Digits that do not fit into 63 bits are dropped.
  if (digits.length === 19 && BigInt(digits) > MAX_INT64) digits = digits.slice(0, 18)
  if (digits === '') return 0n
  return BigInt(Math.floor(Number(digits) * (Number(nanos) / 10 ** digits.length)))
}
