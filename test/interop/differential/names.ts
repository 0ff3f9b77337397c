/** What expressions may name where they stand, and fresh names. */
import type { Dice } from './dice.ts'

/**
 * As OPA's compiler sees an expression: it refuses programs in which two types never meet. `any` meets every other; `opaque` is one that we
 * do not know.
 */
export type Type =
  | 'any'
  | 'array'
  | 'boolean'
  | 'null'
  | 'number'
  | 'object'
  | 'opaque'
  | 'set'
  | 'string'

export interface Typed {
  readonly text: string
  readonly type: Type
}

export interface Rule {
  readonly name: string
  readonly kind: 'function' | 'object' | 'set' | 'value'
  /** Of its value, or of what a function answers. */
  readonly type: Type
  /** Of a function. */
  readonly arity: number
}

/** Variables of the bodies around an expression; rules before the one that it stands in, so that none calls itself. */
export class Scope {
  readonly dice: Dice
  readonly variables: readonly Typed[]
  readonly rules: readonly Rule[]
  /** `data.<package>`: rules are sometimes called by their whole name. */
  readonly path: string
  readonly #fresh: { next: number }

  constructor(
    dice: Dice,
    path: string,
    rules: readonly Rule[],
    variables: readonly Typed[] = [],
    fresh: { next: number } = { next: 0 },
  ) {
    this.dice = dice
    this.path = path
    this.rules = rules
    this.variables = variables
    this.#fresh = fresh
  }

  with(type: Type, ...names: readonly string[]): Scope {
    const all = [...this.variables, ...names.map((text) => ({ text, type }))]
    return new Scope(this.dice, this.path, this.rules, all, this.#fresh)
  }

  fresh(): string {
    return `v${this.#fresh.next++}`
  }

  of(...kinds: readonly Rule['kind'][]): readonly Rule[] {
    return this.rules.filter(({ kind }) => kinds.includes(kind))
  }

  /** A rule by its name, or by its whole path. */
  called({ name }: Rule): string {
    return this.dice.chance(30) ? `${this.path}.${name}` : name
  }
}

/** What is known of several expressions that stand for one value. */
export function common(all: readonly Typed[]): Type {
  const [first] = all
  return first !== undefined && all.every(({ type }) => type === first.type) ? first.type : 'opaque'
}
