/** How often a shadow policy and the live one differed, by action and rule, until the window's leaf takes it. */

import type { Draft } from '../decision.ts'
import { encodeLeaf } from '../log/leaf.ts'
import type { Change, ShadowDifference } from '../log/leaves.ts'
import type { Clock } from '../ports/clock.ts'
import type { Policy } from '../ports/engine.ts'
import { utf8 } from '../utf8.ts'
import type { Outcome } from './compare.ts'

/** Further ones of a window share one row for each change. */
const MAX_ROWS = 24
/** UTF-8 bytes of what tells rows apart; with counts and examples of every row it is well below what a leaf holds. */
const MAX_NAMED_BYTES = 49_152
/** Reasons of one side. */
const MAX_REASONS = 3
/** Decisions that an operator may look into. */
const MAX_EXAMPLES = 4

export interface Differing {
  readonly action: string
  readonly change: Change
  readonly id: string
  readonly live: Outcome
  readonly shadow: Outcome
}
type Row = { -readonly [Member in keyof ShadowDifference]: ShadowDifference[Member] } & {
  examples: string[]
}
interface Pair {
  readonly policies: {
    readonly policy: string
    readonly revision: string
    readonly shadow: string
    readonly shadowRevision: string
  }
  readonly rows: Map<string, Row>
  namedBytes: number
  compared: number
  dropped: number
}

export class ShadowTally {
  readonly #clock: Clock
  readonly #pairs = new Map<string, Pair>()
  #from: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#from = this.#now()
  }

  compared(live: Draft['policy'], shadow: Policy, differing: Differing | undefined): void {
    const pair = this.#pair(live, shadow)
    pair.compared++
    if (differing !== undefined) count(pair, differing)
  }

  dropped(live: Draft['policy'], shadow: Policy): void {
    this.#pair(live, shadow).dropped++
  }

  /** One leaf for each pair of policies that met; begins a new window. */
  take(): readonly string[] {
    const from = this.#from
    const to = Math.max(from, this.#now())
    this.#from = to
    const pairs = [...this.#pairs.values()]
    this.#pairs.clear()
    return pairs.map(({ compared, dropped, policies, rows }) =>
      encodeLeaf({
        type: 'assay.shadow/v1',
        ...policies,
        from,
        to,
        compared,
        dropped,
        differences: [...rows].sort(byName).map(([, row]) => row),
      }),
    )
  }

  #pair(live: Draft['policy'], { digest, revision }: Policy): Pair {
    const policies = {
      policy: live?.digest ?? 'none',
      revision: live?.revision ?? 'none',
      shadow: digest,
      shadowRevision: revision,
    }
    const name = Object.values(policies).join('\n')
    const known = this.#pairs.get(name)
    if (known) return known
    const pair = { policies, rows: new Map(), namedBytes: 0, compared: 0, dropped: 0 }
    this.#pairs.set(name, pair)
    return pair
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}

function count(pair: Pair, { action, change, id, ...sides }: Differing): void {
  const { rows } = pair
  const live = sides.live.reasons.slice(0, MAX_REASONS)
  const shadow = sides.shadow.reasons.slice(0, MAX_REASONS)
  const name = JSON.stringify([action, change, live, shadow])
  const row =
    rows.get(name) ??
    (hasRoom(pair, name)
      ? add(rows, name, { action, change, live, shadow, count: 0, examples: [] })
      : other(rows, change))
  row.count++
  if (row.examples.length < MAX_EXAMPLES) row.examples.push(id)
}

/** Takes the room, too. */
function hasRoom(pair: Pair, name: string): boolean {
  const bytes = pair.namedBytes + utf8(name).length
  if (pair.rows.size >= MAX_ROWS || bytes > MAX_NAMED_BYTES) return false
  pair.namedBytes = bytes
  return true
}

function other(rows: Map<string, Row>, change: Change): Row {
  const row: Row = { action: 'other', change, live: [], shadow: [], count: 0, examples: [] }
  return rows.get(change) ?? add(rows, change, row)
}

function add(rows: Map<string, Row>, name: string, row: Row): Row {
  rows.set(name, row)
  return row
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
