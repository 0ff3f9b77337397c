/** What is counted instead of logged one by one: refusals before dispatch, and dry runs. A crash loses at most one window. */
import { encodeLeaf } from './log/leaf.ts'
import type { Clock } from './ports/clock.ts'

type Kind = 'checks' | 'refused'
/** Sources and codes are from closed sets; this bounds a mistake. */
const MAX_ROWS = 256
const OTHER = 'other'

export class Counts {
  readonly #kind: Kind
  readonly #clock: Clock
  readonly #rows = new Map<
    string,
    { readonly source: string; readonly code: string; count: number }
  >()
  #from: number

  constructor(kind: Kind, clock: Clock) {
    this.#kind = kind
    this.#clock = clock
    this.#from = seconds(clock)
  }

  add(source: string, code: string): void {
    const name = `${source}\n${code}`
    const known = this.#rows.get(name)
    if (known) known.count++
    else if (this.#rows.size < MAX_ROWS - 1 || source === OTHER)
      this.#rows.set(name, { source, code, count: 1 })
    else this.add(OTHER, OTHER)
  }

  /** The window's leaf, or undefined when nothing was counted; begins a new window. */
  take(): string | undefined {
    const from = this.#from
    const to = Math.max(from, seconds(this.#clock))
    this.#from = to
    if (this.#rows.size === 0) return undefined
    const counts = [...this.#rows.values()].sort(
      (a, b) => order(a.source, b.source) || order(a.code, b.code),
    )
    this.#rows.clear()
    return encodeLeaf({ type: 'assay.counts/v1', kind: this.#kind, from, to, counts })
  }
}

const seconds = (clock: Clock): number => Math.floor(clock.now() / 1000)
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
