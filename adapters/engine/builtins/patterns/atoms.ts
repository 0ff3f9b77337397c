/**
 * Rows of characters and classes that JavaScript's own engine may match, because they take it linear time: at most one repetition has to
 * be tried at more than one length, and what follows that one is of bounded length.
 */

/** Code points from first to last, in order. */
export type Range = readonly [first: number, last: number]

export interface Atom {
  readonly ranges: readonly Range[]
  readonly min: number
  readonly max: number
}

const MAX_POINT = 0x10ffff
/** Characters that a row without repetitions takes: each start costs as many. */
const MAX_LENGTH = 500

/** Alternatives become a row each, as long as they are few. */
export const MAX_ROWS = 16

export type Row = readonly Atom[]

/**
 * What any of the rows matches. Undefined where that may not be linear.
 *
 * @param anchored at the start, without which another start is another try at all that follows
 */
export function linearPattern(
  rows: readonly Row[],
  anchored: boolean,
  ended: boolean,
): RegExp | undefined {
  if (rows.length > MAX_ROWS || !rows.every((row) => isLinear(row, anchored))) return undefined
  const sources = rows.map((row) => row.map(source).join(''))
  return new RegExp(`${anchored ? '^' : ''}(?:${sources.join('|')})${ended ? '$' : ''}`, 'u')
}

/**
 * A repetition is certain where the next character says whether it goes on. Behind one that is not, each length is a try, so that what
 * follows must be of bounded length.
 */
function isLinear(atoms: Row, anchored: boolean): boolean {
  const length = atoms.reduce((total, atom) => total + Math.max(1, atom.min), 0)
  if (length > MAX_LENGTH) return false
  if (!anchored) return atoms.every((atom) => atom.min === atom.max)
  const uncertain = atoms.findIndex((atom, i) => atom.min !== atom.max && !isCertain(atoms, i))
  return uncertain < 0 || atoms.slice(uncertain + 1).every((atom) => atom.min === atom.max)
}

function isCertain(atoms: Row, at: number): boolean {
  const own = atoms[at] as Atom
  for (const next of atoms.slice(at + 1)) {
    if (meet(own.ranges, next.ranges)) return false
    if (next.min > 0) return true
  }
  return true
}

function meet(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some(([first, last]) => b.some(([from, to]) => first <= to && from <= last))
}

function source({ ranges, min, max }: Atom): string {
  const members = ranges.map(([first, last]) => `${point(first)}-${point(last)}`).join('')
  return `[${members}]${min === 1 && max === 1 ? '' : `{${min},${max === Number.POSITIVE_INFINITY ? '' : max}}`}`
}

function point(code: number): string {
  return `\\u{${code.toString(16)}}`
}

/** All code points but these. */
export function without(ranges: readonly Range[]): readonly Range[] {
  const rest: Range[] = []
  let next = 0
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    if (first > next) rest.push([next, first - 1])
    next = Math.max(next, last + 1)
  }
  if (next <= MAX_POINT) rest.push([next, MAX_POINT])
  return rest
}
