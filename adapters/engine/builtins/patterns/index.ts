import type { Family } from '../builtin.ts'
import { GLOB } from './glob.ts'
import { REGEX } from './regex.ts'

export const PATTERNS: Family = { ...GLOB, ...REGEX }
