/** The syntax of globs as gobwas/glob reads it, down to which malformed ones it refuses. */
import { type Range, without } from './atoms.ts'

/** `?` and `*` depend on the delimiters, which come later. */
export type Part =
  | { readonly type: 'any' | 'single' | 'super' }
  | { readonly type: 'choice'; readonly of: readonly (readonly Part[])[] }
  | { readonly type: 'class'; readonly ranges: readonly Range[] }

/** Alternatives in alternatives deeper than this are refused. */
const MAX_DEPTH = 100

/** Undefined where the pattern is malformed. */
export function parseGlob(pattern: string): readonly Part[] | undefined {
  const reader = new Reader(pattern)
  const parts = reader.sequence(0)
  return parts !== undefined && reader.done ? parts : undefined
}

class Reader {
  readonly #chars: readonly string[]
  #at = 0

  constructor(pattern: string) {
    this.#chars = [...pattern]
  }

  get done(): boolean {
    return this.#at >= this.#chars.length
  }

  /** Up to the end, or to the comma or brace that ends an alternative. */
  sequence(depth: number): readonly Part[] | undefined {
    const parts: Part[] = []
    while (!this.done) {
      const char = this.#chars[this.#at]
      if (depth > 0 && (char === ',' || char === '}')) return parts
      const part = this.#part(depth)
      if (part === undefined) return undefined
      parts.push(part)
    }
    return depth > 0 ? undefined : parts
  }

  #part(depth: number): Part | undefined {
    if (this.#take('?')) return { type: 'single' }
    if (this.#take('*')) return { type: this.#take('*') ? 'super' : 'any' }
    if (this.#take('[')) return this.#class()
    if (this.#take('{')) return depth >= MAX_DEPTH ? undefined : this.#choice(depth + 1)
    const char = this.#escaped()
    return char === undefined ? undefined : { type: 'class', ranges: [char] }
  }

  #choice(depth: number): Part | undefined {
    const of: (readonly Part[])[] = []
    do {
      const parts = this.sequence(depth)
      if (parts === undefined) return undefined
      of.push(parts)
    } while (this.#take(','))
    return this.#take('}') ? { type: 'choice', of } : undefined
  }

  /** A character that is itself, after a backslash whatever it is. */
  #escaped(): Range | undefined {
    this.#take('\\')
    return this.#one()
  }

  #one(): Range | undefined {
    const code = this.#chars[this.#at++]?.codePointAt(0)
    return code === undefined ? undefined : [code, code]
  }

  /** Either one range or a set of characters, in which `-` is one of them. */
  #class(): Part | undefined {
    const negated = this.#take('!')
    const ranges = this.#chars[this.#at + 1] === '-' ? this.#range() : this.#set()
    if (ranges === undefined || !this.#take(']')) return undefined
    return { type: 'class', ranges: negated ? without(ranges) : ranges }
  }

  #range(): readonly Range[] | undefined {
    const first = this.#one()
    this.#at++
    const last = this.#one()
    if (first === undefined || last === undefined || last[0] < first[0]) return undefined
    return [[first[0], last[0]]]
  }

  #set(): readonly Range[] | undefined {
    const ranges: Range[] = []
    while (!this.done && this.#chars[this.#at] !== ']') {
      const char = this.#escaped()
      if (char === undefined) return undefined
      ranges.push(char)
    }
    return ranges.length === 0 ? undefined : ranges
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false
    this.#at++
    return true
  }
}
