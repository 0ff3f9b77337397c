/** Regular expressions in RE2's syntax and linear time, through re2js. */
import { RE2JS, RE2JSException } from 're2js'
import { type Context, fail } from '../builtin.ts'
import { Cache } from './cache.ts'
import { simplePattern } from './simple.ts'

/** Where a match and its groups begin and end, two numbers each; -1 for a group that took no part. */
export type Match = readonly number[]

export class Pattern {
  /** Only for whether it matches, and only where it means the same. */
  readonly #simple: RegExp | undefined
  readonly #general: RE2JS

  /** @throws RE2JSException */
  constructor(text: string) {
    this.#general = RE2JS.compile(text)
    this.#simple = simplePattern(text)
  }

  matches(context: Context, text: string): boolean {
    this.#spend(context, text)
    return this.#simple?.test(text) ?? this.#general.test(text)
  }

  /** @param limit negative for all */
  find(context: Context, text: string, limit: number): readonly Match[] {
    this.#spend(context, text)
    if (limit === 0) return []
    const found: readonly (readonly number[])[] | null = this.#general
      .re2()
      .findAllSubmatchIndex(text, limit)
    return found ?? []
  }

  /** By name; groups without one have none. */
  get names(): Readonly<Record<string, number>> {
    return this.#general.namedGroups()
  }

  /** At most this many instructions look at each character. */
  #spend(context: Context, text: string): void {
    context.spend(1 + Math.floor((text.length * this.#general.programSize()) / 1000))
  }
}

const PATTERNS = new Cache<Pattern | null>(512, (text) => {
  try {
    return new Pattern(text)
  } catch (error) {
    if (error instanceof RE2JSException) return null
    throw error
  }
})

export function isPattern(text: string): boolean {
  return PATTERNS.get(text) !== null
}

export function patternOf(context: Context, text: string): Pattern | undefined {
  return PATTERNS.get(text) ?? fail(context, 'not a regular expression in the syntax of RE2')
}
