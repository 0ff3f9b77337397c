/**
 * Doubles as Go writes them: exact in every digit that is asked for, a tie to the even digit.
 *
 * @see https://pkg.go.dev/strconv#FormatFloat
 */

/** 0.d₁d₂… × 10^point, without zeros at the end. */
interface Digits {
  readonly digits: string
  readonly point: number
}

export type FloatVerb = 'E' | 'G' | 'X' | 'b' | 'e' | 'f' | 'g' | 'x'

/** @param precision undefined is as many digits as tell the double from all others. Has no sign where it is positive. */
export function floatText(value: number, verb: FloatVerb, precision: number | undefined): string {
  const sign = value < 0 ? '-' : ''
  const size = Math.abs(value)
  const small = verb.toLowerCase()
  const text = unsigned(size, small, precision)
  return sign + (verb === small ? text : text.toUpperCase())
}

function unsigned(size: number, verb: string, precision: number | undefined): string {
  if (verb === 'b') return binary(size)
  if (verb === 'x') return hexadecimal(size, precision)
  const exact = precision === undefined ? shortest(size) : expanded(size)
  if (verb === 'e') return scientific(exact, precision ?? Math.max(0, exact.digits.length - 1))
  if (verb === 'f') return fixed(exact, precision ?? Math.max(0, exact.digits.length - exact.point))
  return general(exact, precision)
}

function general(exact: Digits, precision: number | undefined): string {
  const wanted = precision === 0 ? 1 : precision
  const rounded = wanted === undefined ? exact : roundedTo(exact, wanted)
  const count = rounded.digits.length
  const limit = wanted === undefined ? 6 : wanted > count && count >= rounded.point ? count : wanted
  const exponent = count === 0 ? -1 : rounded.point - 1
  if (exponent < -4 || exponent >= limit)
    return scientific(rounded, Math.min(wanted ?? count, count) - 1)
  return fixed(rounded, Math.max(0, count - rounded.point))
}

function scientific(exact: Digits, places: number): string {
  const { digits, point } = roundedTo(exact, places + 1)
  const [first = '0', ...rest] = digits
  const fraction = places > 0 ? `.${rest.join('').padEnd(places, '0')}` : ''
  return `${first}${fraction}e${exponentText(digits === '' ? 0 : point - 1)}`
}

function exponentText(exponent: number): string {
  return (exponent < 0 ? '-' : '+') + String(Math.abs(exponent)).padStart(2, '0')
}

function fixed(exact: Digits, places: number): string {
  const { digits, point } = roundedTo(exact, exact.point + places)
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places <= 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`
}

/** So many digits, half to even. */
function roundedTo({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point }
  if (count < 0) return { digits: '', point: 0 }
  const next = digits.charCodeAt(count) - 48
  const tie = next === 5 && count + 1 === digits.length
  const odd = count > 0 && (digits.charCodeAt(count - 1) - 48) % 2 === 1
  const up = tie ? odd : next >= 5
  const head = digits.slice(0, count)
  if (!up) return trimmed(head, point)
  const grown = count === 0 ? '1' : String(BigInt(head) + 1n).padStart(count, '0')
  return trimmed(grown, point + grown.length - count)
}

function trimmed(digits: string, point: number): Digits {
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point }
}

/** JavaScript finds the same shortest digits. */
function shortest(size: number): Digits {
  if (size === 0) return { digits: '', point: 0 }
  const [mantissa = '', exponent = '0'] = size.toExponential().split('e')
  return trimmed(mantissa.replace('.', ''), Number(exponent) + 1)
}

/** All digits that the double has. */
function expanded(size: number): Digits {
  if (size === 0) return { digits: '', point: 0 }
  const { mantissa, exponent } = binaryParts(size)
  const digits = String(
    exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent),
  )
  return trimmed(digits, digits.length + Math.min(0, exponent))
}

/** mantissa × 2^exponent, with 53 bits where the double is not denormal. */
function binaryParts(size: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, size)
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = bits & ((1n << 52n) - 1n)
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 }
}

function binary(size: number): string {
  const { mantissa, exponent } = binaryParts(size)
  return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`
}

function hexadecimal(size: number, precision: number | undefined): string {
  if (size === 0) return `0x0${fractionOf('', precision)}p+00`
  const parts = binaryParts(size)
  // One bit before the point, and 60 behind it: 15 digits.
  const length = parts.mantissa.toString(2).length
  let mantissa = parts.mantissa << BigInt(61 - length)
  let exponent = parts.exponent + length - 1
  if (precision !== undefined && precision < 15) {
    const cut = BigInt(4 * (15 - precision))
    const half = 1n << (cut - 1n)
    const rest = mantissa & ((1n << cut) - 1n)
    const odd = ((mantissa >> cut) & 1n) === 1n
    mantissa >>= cut
    if (rest > half || (rest === half && odd)) mantissa += 1n
    mantissa <<= cut
    if (mantissa >> 61n === 1n) {
      mantissa >>= 1n
      exponent++
    }
  }
  const digits = mantissa.toString(16).slice(1).replace(/0+$/, '')
  return `0x1${fractionOf(digits, precision)}p${exponentText(exponent)}`
}

function fractionOf(digits: string, precision: number | undefined): string {
  const shown = precision === undefined ? digits : digits.padEnd(precision, '0').slice(0, precision)
  return shown === '' ? '' : `.${shown}`
}
