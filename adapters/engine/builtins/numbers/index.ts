import type { Family } from '../builtin.ts'
import { ARITHMETIC } from './arithmetic.ts'
import { BITS } from './bits.ts'
import { RANGES } from './ranges.ts'
import { UNITS } from './units.ts'

export const NUMBERS: Family = { ...ARITHMETIC, ...BITS, ...RANGES, ...UNITS }
