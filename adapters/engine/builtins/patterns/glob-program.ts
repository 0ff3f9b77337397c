/** Globs made ready: a few rows of atoms where that is linear, else all ways through the pattern at once. */
import type { Context } from '../builtin.ts'
import { type Atom, linearPattern, MAX_ROWS, type Range, type Row, without } from './atoms.ts'
import { type Part, parseGlob } from './glob-syntax.ts'

export interface Glob {
  matches(context: Context, text: string): boolean
}

/** @param separators each character one. Undefined where the pattern is malformed */
export function globOf(pattern: string, separators: string): Glob | undefined {
  const parts = parseGlob(pattern)
  if (parts === undefined) return undefined
  const between = without(pointsOf(separators))
  return rowsOf(parts, between) ?? new Ways(parts, between)
}

function pointsOf(text: string): readonly Range[] {
  return Array.from(text, (char) => {
    const code = char.codePointAt(0) as number
    return [code, code] as const
  })
}

function atomOf(part: Exclude<Part, { type: 'choice' }>, between: readonly Range[]): Atom {
  if (part.type === 'class') return { ranges: part.ranges, min: 1, max: 1 }
  if (part.type === 'single') return { ranges: between, min: 1, max: 1 }
  const ranges = part.type === 'any' ? between : without([])
  return { ranges, min: 0, max: Number.POSITIVE_INFINITY }
}

function rowsOf(parts: readonly Part[], between: readonly Range[]): Glob | undefined {
  const rows = spelledOut(parts, between)
  const pattern = rows === undefined ? undefined : linearPattern(rows, true, true)
  return pattern === undefined ? undefined : { matches: (_context, text) => pattern.test(text) }
}

function spelledOut(parts: readonly Part[], between: readonly Range[]): readonly Row[] | undefined {
  let rows: readonly Row[] = [[]]
  for (const part of parts) {
    const ends: Row[] = []
    if (part.type !== 'choice') ends.push([atomOf(part, between)])
    else
      for (const one of part.of) {
        const spelled = spelledOut(one, between)
        if (spelled === undefined) return undefined
        ends.push(...spelled)
      }
    if (rows.length * ends.length > MAX_ROWS) return undefined
    rows = rows.flatMap((row) => ends.map((end) => joined(row, end)))
  }
  return rows
}

/** Two stars in a row are the wider one. */
function joined(row: Row, end: Row): Row {
  const last = row.at(-1)
  const [first, ...rest] = end
  if (last === undefined || first === undefined || last.max === 1 || first.max === 1)
    return [...row, ...end]
  const wider = last.ranges.length <= first.ranges.length ? last : first
  return [...row.slice(0, -1), wider, ...rest]
}

/** A step of the program: a character of these, or on to several places at once. The end is where no step is. */
type Step = { readonly ranges: readonly Range[]; readonly next: number } | { next: number[] }

class Ways implements Glob {
  readonly #steps: Step[] = []

  constructor(parts: readonly Part[], between: readonly Range[]) {
    this.#add(parts, between)
  }

  matches(context: Context, text: string): boolean {
    context.spend(1 + Math.floor((text.length * this.#steps.length) / 100))
    let places = this.#reach([0])
    for (const char of text) {
      const code = char.codePointAt(0) as number
      places = this.#reach(this.#after(places, code))
      if (places.size === 0) return false
    }
    return places.has(this.#steps.length)
  }

  #after(places: ReadonlySet<number>, code: number): readonly number[] {
    const next: number[] = []
    for (const place of places) {
      const step = this.#steps[place]
      if (step !== undefined && 'ranges' in step && holds(step.ranges, code)) next.push(step.next)
    }
    return next
  }

  #reach(starts: readonly number[]): ReadonlySet<number> {
    const places = new Set<number>()
    const open = [...starts]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (places.has(place)) continue
      places.add(place)
      const step = this.#steps[place]
      if (step !== undefined && !('ranges' in step)) open.push(...step.next)
    }
    return places
  }

  #add(parts: readonly Part[], between: readonly Range[]): void {
    for (const part of parts) {
      if (part.type === 'choice') this.#choose(part.of, between)
      else this.#take(atomOf(part, between))
    }
  }

  #take({ ranges, max }: Atom): void {
    const at = this.#steps.length
    if (max === 1) this.#steps.push({ ranges, next: at + 1 })
    else this.#steps.push({ next: [at + 1, at + 2] }, { ranges, next: at })
  }

  #choose(alternatives: readonly (readonly Part[])[], between: readonly Range[]): void {
    const fork: { next: number[] } = { next: [] }
    const ends: { next: number[] }[] = []
    this.#steps.push(fork)
    for (const parts of alternatives) {
      fork.next.push(this.#steps.length)
      this.#add(parts, between)
      const end: { next: number[] } = { next: [] }
      ends.push(end)
      this.#steps.push(end)
    }
    for (const end of ends) end.next.push(this.#steps.length)
  }
}

function holds(ranges: readonly Range[], code: number): boolean {
  return ranges.some(([first, last]) => code >= first && code <= last)
}
