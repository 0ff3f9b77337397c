/** Scans that begin with equalities between fields of the element and values that are known before. */
import type { Operand, Statement, StatementOf } from './plan.ts'
import { visit, writes } from './visit.ts'

/** A value that is known before the scan: an operand, and the constant names that lead from it. */
export interface Fixed {
  readonly operand: Operand
  readonly path: readonly string[]
}
export interface ScanKey {
  readonly field: string
  readonly fixed: Fixed
}

const MOST = 3

/**
 * The equalities that every element has to pass before anything else happens: whatever precedes them only reads. A fixed value that turns
 * out to be undefined lets no element pass.
 */
export function scanKeys(scan: StatementOf<'ScanStmt'>): readonly ScanKey[] {
  const reader = new PrefixReader(scan)
  for (const statement of scan.block) if (!reader.read(statement)) break
  return reader.keys
}

class PrefixReader {
  readonly keys: ScanKey[] = []
  readonly #elements: Set<number>
  readonly #fields = new Map<number, string>()
  readonly #fixed = new Map<number, Fixed>()
  /** Of the element, of its key, or made from them: not known before. */
  readonly #inner: Set<number>

  constructor({ key, value, block }: StatementOf<'ScanStmt'>) {
    this.#elements = new Set([value])
    this.#inner = new Set([key, value])
    visit([block], (statement) => {
      for (const local of writes(statement)) this.#inner.add(local)
    })
  }

  /** Whether it may be one of several, and what follows may be looked at. */
  read(statement: Statement): boolean {
    if (this.keys.length === MOST) return false
    if (statement.type === 'AssignVarStmt') return this.#assign(statement)
    if (statement.type === 'DotStmt') return this.#dot(statement)
    return statement.type === 'EqualStmt' && this.#equal(statement)
  }

  #assign({ source, target }: StatementOf<'AssignVarStmt'>): boolean {
    const local = 'local' in source ? source.local : undefined
    const field = local === undefined ? undefined : this.#fields.get(local)
    const fixed = this.#known(source)
    if (local !== undefined && this.#elements.has(local)) this.#elements.add(target)
    if (field !== undefined) this.#fields.set(target, field)
    if (fixed !== undefined) this.#fixed.set(target, fixed)
    return true
  }

  #dot({ source, key, target }: StatementOf<'DotStmt'>): boolean {
    if ('constant' in source || 'local' in key || typeof key.constant !== 'string') return false
    // Among base documents a number and its text are one name.
    if (/^\d/.test(key.constant)) return false
    const fixed = this.#known(source)
    if (this.#elements.has(source.local)) this.#fields.set(target, key.constant)
    else if (fixed === undefined) return false
    if (fixed !== undefined)
      this.#fixed.set(target, { ...fixed, path: [...fixed.path, key.constant] })
    return true
  }

  #equal({ a, b }: StatementOf<'EqualStmt'>): boolean {
    const key = this.#key(a, b) ?? this.#key(b, a)
    if (key !== undefined) this.keys.push(key)
    return key !== undefined
  }

  #key(one: Operand, other: Operand): ScanKey | undefined {
    const field = 'local' in one ? this.#fields.get(one.local) : undefined
    const fixed = this.#known(other)
    return field === undefined || fixed === undefined ? undefined : { field, fixed }
  }

  #known(operand: Operand): Fixed | undefined {
    if ('constant' in operand) return { operand, path: [] }
    const fixed = this.#fixed.get(operand.local)
    return fixed === undefined && !this.#inner.has(operand.local) ? { operand, path: [] } : fixed
  }
}
