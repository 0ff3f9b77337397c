/** Asks an engine about the cases of tables, and compares. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type { Bundle, TestCase } from '../../core/ports/compiler.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import { differences } from './expect.ts'
import { type Case, merged } from './table.ts'

export interface CaseResult extends TestCase {
  readonly engine: string
  /** In the answer: each code with its rule. */
  readonly reasons: readonly { readonly code: string; readonly rule: string }[]
}

/** Each case on each engine, in their order. `package` is the file, as the cases have no other home. */
export async function runCases(
  cases: readonly Case[],
  bundle: Bundle,
  engines: readonly Engine[],
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const engine of engines) {
    const policies = new Policies(engine, bundle)
    try {
      for (const one of cases)
        results.push(await runCase(one, await policies.with(one.data), engine.name))
    } finally {
      await policies.close()
    }
  }
  return results
}

/** One loaded policy for each data that a case asks for. */
class Policies {
  readonly #engine: Engine
  readonly #bundle: Bundle
  readonly #loaded = new Map<string, Policy>()

  constructor(engine: Engine, bundle: Bundle) {
    this.#engine = engine
    this.#bundle = bundle
  }

  async with(change: Json | undefined): Promise<Policy> {
    const key = change === undefined ? '' : canonicalJson(change)
    const known = this.#loaded.get(key)
    if (known !== undefined) return known
    const { data } = this.#bundle
    const changed = change === undefined ? data : merged(data, change)
    const policy = await this.#engine.load({ ...this.#bundle, data: changed })
    this.#loaded.set(key, policy)
    return policy
  }

  async close(): Promise<void> {
    for (const policy of this.#loaded.values()) await policy.close()
  }
}

async function runCase(one: Case, policy: Policy, engine: string): Promise<CaseResult> {
  const { expect, file, input, name, query, row } = one
  const about = { package: file, name, file, row, engine }
  let answer: Json | undefined
  try {
    answer = await policy.evaluate(query, { value: input, text: JSON.stringify(input) })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ...about, outcome: 'error', message, reasons: [] }
  }
  const found = differences(expect, answer)
  const reasons = reasonsOf(answer)
  if (found.length === 0) return { ...about, outcome: 'pass', reasons }
  return { ...about, outcome: 'fail', message: found.join('; '), reasons }
}

/** Anywhere in the answer: of a decision, of a set of reasons, of what a rule looked up. */
function reasonsOf(answer: Json | undefined): CaseResult['reasons'] {
  if (typeof answer !== 'object' || answer === null) return []
  const { code, rule } = answer as { readonly code?: Json; readonly rule?: Json }
  const own = typeof code === 'string' && typeof rule === 'string' ? [{ code, rule }] : []
  return [...own, ...Object.values(answer).flatMap(reasonsOf)]
}
