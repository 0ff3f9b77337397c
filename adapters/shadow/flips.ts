/** Recorded decisions made again under two policies: what would be decided otherwise, by action, reasons before and reasons after. */
import type { Change, DecisionLeaf, LeafReason } from '../../core/log/leaves.ts'
import type { Policy } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Registry } from '../../core/registry.ts'
import { changeBetween } from '../../core/shadow/compare.ts'
import {
  type Again,
  outcomeUnder,
  recordedDecisions,
  reopened,
  type Unrepeatable,
} from './recorded.ts'

export interface FlipOptions {
  readonly log: LogStore
  readonly store: Store
  readonly registry: Registry
  readonly before: Policy
  readonly after: Policy
  /** The newest decisions only. */
  readonly last?: number
  /** Whether the input of each group's first decision is told. Inputs are personal data. */
  readonly inputs?: boolean
}
/** Decisions that change alike. */
export interface Flip {
  readonly action: string
  readonly change: Change
  readonly before: readonly LeafReason[]
  readonly after: readonly LeafReason[]
  readonly count: number
  /** Of those that were decided again, 0 to 1. */
  readonly share: number
  /** Ids of the first ones. */
  readonly examples: readonly string[]
  /** JSON text of the first one's input. */
  readonly input?: string
}
export interface Flips {
  readonly replayed: number
  /** Where the answer itself changes, allow to deny first; then other changes. */
  readonly flips: readonly Flip[]
  /** Decided by the policy before otherwise than it is on record: it is another one than was live, or has other data. */
  readonly drifted: number
  readonly notReplayed: readonly {
    readonly why: Unrepeatable
    readonly count: number
    readonly examples: readonly string[]
  }[]
  /** Times of the first and the last that were decided again, in seconds since 1970. */
  readonly from?: number
  readonly to?: number
}

const MAX_EXAMPLES = 8
const ORDER: readonly Change[] = [
  'allow_to_deny',
  'deny_to_allow',
  'reasons',
  'effects',
  'obligations',
  'output',
]

export async function flips(options: FlipOptions): Promise<Flips> {
  const groups = new Groups(options.inputs === true)
  const not = new Map<Unrepeatable, string[]>()
  let times: { readonly from: number; readonly to: number } | undefined
  let drifted = 0
  for (const leaf of await recordedDecisions(options.log, options.last)) {
    const again = await reopened(leaf, options)
    if (typeof again === 'string') {
      not.set(again, [...(not.get(again) ?? []), leaf.id])
      continue
    }
    times = { from: times?.from ?? leaf.time, to: leaf.time }
    if (await compare(leaf, again, options, groups)) drifted++
  }
  const notReplayed = [...not].map(([why, ids]) => ({
    why,
    count: ids.length,
    examples: ids.slice(0, MAX_EXAMPLES),
  }))
  return { replayed: groups.compared, flips: groups.all, drifted, notReplayed, ...times }
}

/** Whether the policy before decides otherwise than it is on record. */
async function compare(
  leaf: DecisionLeaf,
  again: Again,
  { after, before }: FlipOptions,
  groups: Groups,
): Promise<boolean> {
  const [was, is] = [await outcomeUnder(before, again), await outcomeUnder(after, again)]
  groups.add(leaf, again, {
    change: changeBetween(was, is),
    before: was.reasons,
    after: is.reasons,
  })
  return was.allow !== leaf.allow
}

interface Difference extends Pick<Flip, 'after' | 'before'> {
  readonly change: Change | undefined
}
type Counted = { -readonly [Name in keyof Omit<Flip, 'examples'>]: Flip[Name] } & {
  readonly examples: string[]
}

class Groups {
  readonly #inputs: boolean
  readonly #rows = new Map<string, Counted>()
  compared = 0

  constructor(inputs: boolean) {
    this.#inputs = inputs
  }

  add({ action, id }: DecisionLeaf, { input }: Again, { change, ...sides }: Difference): void {
    this.compared++
    if (change === undefined) return
    const name = JSON.stringify([action, change, sides.before, sides.after])
    const told = this.#inputs ? { input: input.text } : {}
    const row = this.#rows.get(name) ?? {
      action,
      change,
      ...sides,
      count: 0,
      share: 0,
      examples: [],
      ...told,
    }
    this.#rows.set(name, row)
    row.count++
    if (row.examples.length < MAX_EXAMPLES) row.examples.push(id)
  }

  /** The gravest change first, then the most frequent. */
  get all(): readonly Flip[] {
    const rows = [...this.#rows].sort(
      ([left, a], [right, b]) =>
        ORDER.indexOf(a.change) - ORDER.indexOf(b.change) ||
        b.count - a.count ||
        (left < right ? -1 : 1),
    )
    return rows.map(([, row]) => ({ ...row, share: row.count / this.compared }))
  }
}
