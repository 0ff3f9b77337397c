/**
 * The log is a serial history: whatever ran at the same time, each allowed decision saw the state that the decisions before it in the log
 * left behind, and the store holds what the last one wrote.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeStored } from '../../core/decision.ts'
import type { Json } from '../../core/json.ts'
import { type Kit, kit, notePlugin, type PolicyFunction, submission } from '../kernel/kit.ts'

/** `slow`: turns of the event loop that facts take after they read. */
const operation = fc.record({
  write: fc.boolean(),
  slow: fc.nat(4),
  keyed: fc.nat(30),
})

const policy: PolicyFunction = ({ facts, request }) => {
  const seen = (facts.record as number | null) ?? 0
  const effects = request.action === 'note.write' ? [{ kind: 'note.put', value: seen + 1 }] : []
  return { allow: true, reasons: [], effects, obligations: [], output: seen }
}

const plugin = notePlugin({
  facts: async ({ payload }, read) => {
    const record = (await read.get('record')) ?? null
    const { slow } = payload.json() as { slow: number }
    for (let i = 0; i < slow; i++) await new Promise((resolve) => setImmediate(resolve))
    return { claimed: payload.json(), evidence: { check: 'valid' }, record }
  },
})

async function historyOf({ log, store }: Kit): Promise<readonly { seen: Json; wrote: Json }[]> {
  const leaves = await log.leaves(0n, 256)
  const history: { seen: Json; wrote: Json }[] = []
  for (const bytes of leaves) {
    const leaf = JSON.parse(new TextDecoder().decode(bytes)) as {
      id: string
      action: string
      allow: boolean
    }
    if (!leaf.action.startsWith('note.') || !leaf.allow) continue
    const row = await store.get({ partition: '#decision', sort: leaf.id })
    const { openings = {} } = decodeStored(row!.value)
    const verdict = JSON.parse(openings.verdict!.json) as { effects: { value: Json }[] }
    history.push({
      seen: JSON.parse(openings['facts.record']!.json) ?? 0,
      wrote: verdict.effects[0]?.value ?? null,
    })
  }
  return history
}

test('every allowed decision saw what the log says was there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (operations) => {
      const made = await kit({ policy, plugin, limits: { maxGroup: 7 } })
      const decisions = await Promise.all(
        operations.map(({ write, slow, keyed }) =>
          made.kernel.decide({
            ...submission(write ? 'note.write' : 'note.read', { slow }),
            ...(keyed < 5 ? { idempotencyKey: `${keyed}/${write}/${slow}` } : {}),
          }),
        ),
      )
      let state: Json = 0
      for (const { seen, wrote } of await historyOf(made)) {
        expect(seen).toBe(state)
        if (wrote !== null) state = wrote
      }
      expect((await made.record()) ?? 0).toBe(state)
      const denied = decisions.filter(({ allow }) => !allow)
      expect(denied.every(({ reasons }) => reasons[0]?.code === 'kernel/contended')).toBe(true)
      await made.kernel.close()
    }),
    { numRuns: 60 },
  )
})
