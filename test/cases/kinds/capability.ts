/**
 * Capability tokens: each scenario is minted, presented and decided by a kernel of its own with the real policies, at the time that it says.
 * What holds for every scenario is checked with each: nothing but the issuer's enrolment is looked up before all signatures hold.
 */
import type { Decision } from '../../../core/kernel.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { Store } from '../../../core/ports/store.ts'
import { storeWith } from '../../conformance/store/delegate.ts'
import { ENTRYPOINT, EnforcementPoint, tokenPolicies } from '../../enforcement.ts'
import { bundle, compiler } from '../../rego.ts'
import {
  type Reading,
  readScenarios,
  type Scenario,
  type ScenarioFile,
} from '../capability/scenario.ts'
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
/** The types of caveats that the format of the files knows: there, any other is unsupported. */
const NAMED = /^capability\/caveats\/(?!(?:aud|exp|max_bytes|op|program|resource)\/)/

export async function* run(file: string): AsyncIterable<Case> {
  const { readings, ...said } = await readScenarios(file)
  const policies = await policiesOf(said)
  for (const reading of readings) yield await judged(reading, policies)
}

export const close = (): Promise<void> => compiler.close()

/** Taking a type's folder away ends it: nothing else lists the types. */
async function policiesOf({ bounds, types }: Omit<ScenarioFile, 'readings'>): Promise<Bundle> {
  const shipped = Object.entries(await tokenPolicies())
  const sources = shipped.filter(([path]) => types === 'all' || !NAMED.test(path))
  const bounded = sources.map(([path, text]) => {
    if (path !== 'capability/data.json') return [path, text] as const
    return [path, JSON.stringify({ ...(JSON.parse(text) as object), ...bounds })] as const
  })
  return bundle(Object.fromEntries(bounded), [ENTRYPOINT])
}

/** One that cannot be judged has come out as nobody expects, and does not keep the others from being judged. */
async function judged(reading: Reading, policies: Bundle): Promise<Case> {
  const { name } = reading
  if ('problem' in reading) return notJudged(name, reading.problem)
  const { expect, reason } = reading.scenario
  const expected = reason === undefined ? { verdict: expect } : { verdict: expect, reason }
  try {
    return { name, expected, got: await decided(reading.scenario, policies) }
  } catch (error) {
    return notJudged(name, String(error))
  }
}

const notJudged = (name: string, why: string): Case => ({
  name,
  expected: { verdict: 'a verdict' },
  got: { verdict: 'none', reason: why },
})

async function decided(scenario: Scenario, policies: Bundle): Promise<Outcome> {
  const { payload, records } = sceneOf(scenario)
  const looked: string[] = []
  const watch = (store: Store): Store =>
    storeWith(store, {
      get: (key) => {
        if (/^(?:announce|capability|lease)$/.test(key.partition)) looked.push(key.sort)
        return store.get(key)
      },
    })
  const now = scenario.present.time
  const point = await EnforcementPoint.open({ now, records, watch, bundle: policies })
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
