/** The clock of policies: a fact of their input. */
import { isNumber, parts } from '../value/number.ts'
import type { Value } from '../value/value.ts'

/** Nanoseconds of the `now` fact, Unix seconds with a fraction where there is one. Undefined where it is no number. */
export function nanoseconds(seconds: Value | undefined): bigint | undefined {
  if (!isNumber(seconds)) return undefined
  const [coefficient, exponent] = parts(seconds)
  const power = BigInt(Math.min(Math.max(exponent + 9, -400), 400))
  return power >= 0n ? coefficient * 10n ** power : coefficient / 10n ** -power
}
