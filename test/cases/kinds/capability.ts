/**
 * Capability tokens: each scenario is minted, presented and decided by a kernel of its own with the real policies, at the time that it says.
 * What holds for every scenario is checked with each: nothing but the issuer's enrolment is looked up before all signatures hold.
 */
import type { Decision } from '../../../core/kernel.ts'
import type { Store } from '../../../core/ports/store.ts'
import { storeWith } from '../../conformance/store/delegate.ts'
import { EnforcementPoint } from '../../enforcement.ts'
import { compiler } from '../../rego.ts'
import { readScenarios, type Scenario } from '../capability/scenario.ts'
import { sceneOf } from '../capability/scene.ts'
import type { Case, Outcome } from '../kind.ts'

/** Reasons that come before anything may be looked up. */
const UNVERIFIED: ReadonlySet<string> = new Set([
  'issuer_unknown',
  'malformed',
  'signature_invalid',
  'too_large',
  'weak_key',
])

export async function* run(file: string): AsyncIterable<Case> {
  try {
    for (const scenario of await readScenarios(file)) {
      const { expect, name, reason } = scenario
      const expected = reason === undefined ? { verdict: expect } : { verdict: expect, reason }
      yield { name, expected, got: await decided(scenario) }
    }
  } finally {
    await compiler.close()
  }
}

async function decided(scenario: Scenario): Promise<Outcome> {
  const { payload, records } = sceneOf(scenario)
  const looked: string[] = []
  const watch = (store: Store): Store =>
    storeWith(store, {
      get: (key) => {
        if (/^(?:announce|capability|lease)$/.test(key.partition)) looked.push(key.sort)
        return store.get(key)
      },
    })
  const point = await EnforcementPoint.open({ now: scenario.present.time, records, watch })
  try {
    const decision = await point.use(payload)
    return outcome(decision, looked.length)
  } finally {
    await point.close()
  }
}

function outcome({ allow, reasons }: Decision, lookups: number): Outcome {
  if (allow) return { verdict: 'accept' }
  const code = reasons[0]?.code ?? 'none'
  const early = UNVERIFIED.has(code) && lookups > 0
  return { verdict: 'refuse', reason: early ? `${code} after a lookup` : code }
}
