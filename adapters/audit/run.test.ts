/** A granted query against the plainest reading of what it asks: every leaf that fits, once, in order, whatever the pages. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../core/crypto.ts'
import { decisionKey, encodeStored } from '../../core/decision.ts'
import { encodeLeaf, leafHash } from '../../core/log/leaf.ts'
import type { DecisionLeaf, Leaf } from '../../core/log/leaves.ts'
import type { DecisionFilter } from '../../core/log/query.ts'
import { Tree } from '../../core/log/tree.ts'
import { openMemory } from '../store/memory/index.ts'
import { type Grant, type Running, runQuery } from './run.ts'

const ACTIONS = ['access.evaluate', 'access.assign', 'audit.query'] as const
const CODES = ['role_missing', 'not_owner', 'role_permitted'] as const
/** Longer than the slack of times, so that searching by halves is tried. */
const STEP_SECONDS = 400

interface Drawn {
  readonly action: number
  readonly allow: boolean
  readonly code: number
  readonly jitter: number
  readonly counts: boolean
}
const drawn: fc.Arbitrary<Drawn> = fc.record({
  action: fc.nat({ max: 2 }),
  allow: fc.boolean(),
  code: fc.nat({ max: 2 }),
  jitter: fc.integer({ min: -2, max: 2 }),
  counts: fc.boolean(),
})

function leafOf({ action, allow, code, counts, jitter }: Drawn, i: number): Leaf {
  const time = 1_000_000 + i * STEP_SECONDS + jitter
  return counts
    ? { type: 'assay.counts/v1', kind: 'checks', from: time, to: time, counts: [] }
    : {
        type: 'assay.decision/v1',
        id: String(i).padStart(32, '0'),
        time,
        action: ACTIONS[action] as string,
        allow,
        reasons: [{ code: CODES[code] as string, rule: 'assay.access.rule' }],
        policy: 'none',
        revision: 'none',
        commitments: {},
      }
}

const index = fc.nat({ max: 60 }).map(String)
const seconds = fc.nat({ max: 60 * STEP_SECONDS }).map((after) => 1_000_000 + after)
const filter = fc.record(
  {
    from: index,
    to: index,
    since: seconds,
    until: seconds,
    allow: fc.boolean(),
    actions: fc.subarray([...ACTIONS, 'access.*'], { minLength: 1 }),
    reasons: fc.subarray([...CODES], { minLength: 1 }),
    ids: fc.array(
      fc.nat({ max: 60 }).map((n) => String(n).padStart(32, '0')),
      { minLength: 1 },
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<DecisionFilter>

async function logOf(leaves: readonly Leaf[]): Promise<Running> {
  const { log, store } = openMemory()
  const tree = new Tree()
  for (const leaf of leaves) {
    const text = encodeLeaf(leaf)
    const hash = leafHash(text)
    tree.append(hash)
    const value = encodeStored({ hash: toHex(hash), openings: {} })
    const put = leaf.type === 'assay.decision/v1' ? decisionKey(leaf.id) : undefined
    const writes = put ? [{ put, value, if: 'absent' as const }] : []
    await store.commit([{ writes, leaf: new TextEncoder().encode(text) }])
  }
  const head = { size: tree.size, root: tree.root(), note: new Uint8Array() }
  return { log, store, head, end: tree.size }
}

/** Line by line, as one would ask by hand. */
function expected(leaves: readonly Leaf[], asked: DecisionFilter): readonly string[] {
  const found: string[] = []
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.type !== 'assay.decision/v1') continue
    const { action, allow, id, reasons, time }: DecisionLeaf = leaf
    if (asked.from !== undefined && i < Number(asked.from)) continue
    if (asked.to !== undefined && i >= Number(asked.to)) continue
    if (asked.since !== undefined && time < asked.since) continue
    if (asked.until !== undefined && time >= asked.until) continue
    if (asked.allow !== undefined && allow !== asked.allow) continue
    const group = action.startsWith('access.') ? 'access.*' : ''
    if (asked.actions && !asked.actions.includes(action) && !asked.actions.includes(group)) continue
    if (asked.reasons && !asked.reasons.includes(reasons[0]?.code as string)) continue
    if (asked.ids && !asked.ids.includes(id)) continue
    found.push(id)
  }
  return found
}

it('finds every decision that fits, once and in order', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(drawn, { maxLength: 50 }),
      filter,
      fc.integer({ min: 1, max: 7 }),
      async (all, asked, limit) => {
        const leaves = all.map(leafOf)
        const running = await logOf(leaves)
        const found: string[] = []
        let query: DecisionFilter | undefined = asked
        while (query !== undefined) {
          const grant: Grant = { query, limit, fields: [], open: [] }
          const page = await runQuery(running, grant)
          if (asked.ids === undefined) expect(page.records.length).toBeLessThanOrEqual(limit)
          found.push(...page.records.map(({ id }) => id))
          query = page.next && { ...asked, ...page.next }
        }
        expect(found).toEqual(expected(leaves, asked))
      },
    ),
    { numRuns: 150 },
  )
})
