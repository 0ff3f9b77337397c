/** Semantic versions, with a leading `v` as OPA takes them. @see https://semver.org */
import type { Value } from '../value/value.ts'
import { type Family, fail } from './builtin.ts'
import { onTexts } from './texts.ts'

interface Version {
  readonly numbers: readonly bigint[]
  readonly before: readonly string[]
}

const NUMBER = '(0|[1-9]\\d*)'
const NAMES = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = new RegExp(`^v?${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${NAMES}))?(?:\\+${NAMES})?$`)

function parse(text: string): Version | undefined {
  const [, major, minor, patch, names] = VERSION.exec(text) ?? []
  if (major === undefined) return undefined
  const numbers = [major, minor, patch].map((digits) => BigInt(digits ?? ''))
  const before = names?.split('.') ?? []
  const refused =
    numbers.some((number) => number >= 2n ** 63n) || before.some((name) => /^0\d+$/.test(name))
  return refused ? undefined : { numbers, before }
}

/** Precedence, section 11; what is built in behind a plus does not count. */
function compareVersions(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries())
    if (number !== b.numbers[i]) return number < b.numbers[i]! ? -1 : 1
  if (a.before.length === 0 || b.before.length === 0)
    return Math.sign(b.before.length - a.before.length)
  for (const [i, name] of a.before.entries()) {
    const other = b.before[i]
    if (other === undefined) return 1
    const order = compareNames(name, other)
    if (order !== 0) return order
  }
  return a.before.length < b.before.length ? -1 : 0
}

function compareNames(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => /^\d+$/.test(name))
  if (x !== y) return x ? -1 : 1
  if (x && BigInt(a) !== BigInt(b)) return BigInt(a) < BigInt(b) ? -1 : 1
  return x || a === b ? 0 : a < b ? -1 : 1
}

export const SEMVER: Family = {
  'semver.compare': onTexts((context, first = '', second = '') => {
    const a = parse(first)
    const b = parse(second)
    return a === undefined || b === undefined
      ? fail(context, 'not a semantic version')
      : compareVersions(a, b)
  }),
  'semver.is_valid': (_context, text: Value) =>
    typeof text === 'string' && parse(text) !== undefined,
}
