/**
 * `regex.globs_match`: whether some text fits two patterns of literals, `.`, classes, `*` and `+` at once. Answers as the algorithm that
 * OPA uses does, which gives up early where a repetition is followed by what it repeats; each pair of places is asked once.
 */
import { type Context, fail } from '../builtin.ts'

type Flag = '' | '*' | '+'

interface Token {
  /** Ranges of code points; all of them for a dot. */
  readonly ranges: readonly (readonly [first: number, last: number])[] | 'dot'
  readonly literal: boolean
  flag: Flag
}

/** Beyond it the recursion would be too deep. */
const MAX_TOKENS = 1000

export function globsMeet(context: Context, left: string, right: string): boolean | undefined {
  const a = tokens([...left])
  const b = tokens([...right])
  if (a === undefined || b === undefined) return fail(context, 'the glob is invalid')
  if (a.length > MAX_TOKENS || b.length > MAX_TOKENS) return fail(context, 'the glob is too long')
  const trimmed = trim(a, b)
  return trimmed === undefined
    ? false
    : new Meeting(context, trimmed[0], trimmed[1]).normal(false, 0, 0)
}

/** Undefined where the pattern is malformed. */
function tokens(chars: readonly string[]): readonly Token[] | undefined {
  const found: Token[] = []
  for (let at = 0; at < chars.length; ) {
    const read = token(chars, at)
    if (read === undefined) return undefined
    at = read.next
    const flag = chars[at]
    if (flag === '*' || flag === '+') {
      read.token.flag = flag
      at++
    }
    // An escape at the very end is malformed wherever it is looked at.
    if (chars[at] === '\\' && at + 1 === chars.length) return undefined
    push(found, read.token)
  }
  return found
}

interface Read {
  readonly token: Token
  readonly next: number
}

function token(chars: readonly string[], at: number): Read | undefined {
  const char = chars[at] as string
  if (char === '.') return { token: { ranges: 'dot', literal: false, flag: '' }, next: at + 1 }
  if (char === '[') return classAt(chars, at + 1)
  if (char === ']' || char === '*' || char === '+') return undefined
  const read = rune(chars, at)
  return read === undefined
    ? undefined
    : { token: { ranges: [[read.code, read.code]], literal: true, flag: '' }, next: read.next }
}

interface Rune {
  readonly code: number
  readonly escaped: boolean
  readonly next: number
}

function rune(chars: readonly string[], at: number): Rune | undefined {
  const escaped = chars[at] === '\\'
  const char = chars[escaped ? at + 1 : at]
  if (char === undefined) return undefined
  return { code: char.codePointAt(0) as number, escaped, next: at + (escaped ? 2 : 1) }
}

const DASH = 0x2d
const CLOSE = 0x5d

function classAt(chars: readonly string[], start: number): Read | undefined {
  const ranges: [number, number][] = []
  let previous: number | undefined
  for (let at = start; ; ) {
    const read = rune(chars, at)
    if (read === undefined) return undefined
    at = read.next
    if (!read.escaped && read.code === CLOSE)
      return { token: { ranges, literal: false, flag: '' }, next: at }
    if (!read.escaped && read.code === DASH) {
      const last = at >= chars.length - 1 ? undefined : rune(chars, at)
      if (previous === undefined || last === undefined || last.code < previous) return undefined
      if (!last.escaped && (last.code === CLOSE || last.code === DASH)) return undefined
      ranges.push([previous, last.code])
      at = last.next
      previous = undefined
    } else {
      ranges.push([read.code, read.code])
      previous = read.code
    }
  }
}

/** The same token repeated twice in a row is one. */
function push(found: Token[], next: Token): void {
  const last = found.at(-1)
  if (last === undefined || last.flag === '' || next.flag === '' || !same(last, next))
    found.push(next)
  else if (next.flag === '+') last.flag = '+'
}

function same(a: Token, b: Token): boolean {
  if (a.ranges === 'dot' || b.ranges === 'dot') return a.ranges === b.ranges
  return a.literal === b.literal && covers(a.ranges, b.ranges) && covers(b.ranges, a.ranges)
}

type Ranges = readonly (readonly [first: number, last: number])[]

function covers(whole: Ranges, part: Ranges): boolean {
  const sorted = whole.toSorted(([a], [b]) => a - b)
  return part.every(([first, last]) => {
    let next = first
    for (const [from, to] of sorted) if (from <= next) next = Math.max(next, to + 1)
    return next > last
  })
}

function fits(a: Token, b: Token): boolean {
  const { ranges } = a
  const other = b.ranges
  if (ranges === 'dot' || other === 'dot') return true
  return ranges.some(([first, last]) => other.some(([from, to]) => first <= to && from <= last))
}

type Pair = readonly [a: readonly Token[], b: readonly Token[]]

/** Without what both have at their ends, but for one token. Undefined where an end does not fit. */
function trim(a: readonly Token[], b: readonly Token[]): Pair | undefined {
  const plain = (x: Token | undefined, y: Token | undefined): boolean =>
    x?.flag === '' && y?.flag === ''
  let start = 0
  for (; plain(a[start], b[start]); start++)
    if (!fits(a[start] as Token, b[start] as Token)) return undefined
  if (start > 0) start--
  let i = a.length - 1
  let j = b.length - 1
  for (; i >= start && j >= start && plain(a[i], b[j]); i--, j--)
    if (!fits(a[i] as Token, b[j] as Token)) return undefined
  const kept = i < a.length - 1 ? 1 : 0
  return [a.slice(start, i + 1 + kept), b.slice(start, j + 1 + kept)]
}

class Meeting {
  readonly #context: Context
  readonly #left: readonly Token[]
  readonly #right: readonly Token[]
  readonly #known = new Map<number, boolean>()

  constructor(context: Context, left: readonly Token[], right: readonly Token[]) {
    this.#context = context
    this.#left = left
    this.#right = right
  }

  /** From these places on. @param swapped the first one is the right one */
  normal(swapped: boolean, i: number, j: number): boolean {
    const key = 2 * (i * (2 * MAX_TOKENS) + j) + (swapped ? 1 : 0)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const met = this.#walk(swapped, i, j)
    this.#known.set(key, met)
    return met
  }

  #walk(swapped: boolean, i: number, j: number): boolean {
    const [a, b] = this.#sides(swapped)
    for (let step = 0; ; step++) {
      this.#context.spend(1)
      const x = a[i + step]
      const y = b[j + step]
      if (x === undefined || y === undefined) return x === y
      if (x.flag !== '') return this.#repeated(swapped, i + step, j + step)
      if (y.flag !== '') return this.#repeated(!swapped, j + step, i + step)
      if (!fits(x, y)) return false
    }
  }

  /** The token at `i` repeats. */
  #repeated(swapped: boolean, i: number, j: number): boolean {
    const [a, b] = this.#sides(swapped)
    const token = a[i] as Token
    if (token.flag === '*') return this.#star(swapped, i, j)
    const other = b[j] as Token
    if (!fits(token, other)) return false
    if (this.#star(swapped, i, j + 1)) return true
    return other.flag !== '' && this.normal(swapped, i + 1, j)
  }

  #star(swapped: boolean, i: number, j: number): boolean {
    const [a, b] = this.#sides(swapped)
    const token = a[i] as Token
    const next = a[i + 1]
    for (let at = j; at < b.length; at++) {
      this.#context.spend(1)
      const other = b[at] as Token
      if (next !== undefined && fits(other, next) && this.normal(swapped, i + 1, at)) return true
      if (!fits(other, token)) return false
    }
    return next === undefined
  }

  #sides(swapped: boolean): Pair {
    return swapped ? [this.#right, this.#left] : [this.#left, this.#right]
  }
}
