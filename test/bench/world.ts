/** Assay as a user composes it, with the workload's users and resources in its store, and the workload's requests as every side needs them. */

import { type Composed, compose, type Part } from '../../adapters/compose.ts'
import { loadConfig } from '../../adapters/config/load.ts'
import { createJitEngine } from '../../adapters/engine/jit/index.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import type { Json } from '../../core/json.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Engine, Policy, PolicyInput } from '../../core/ports/engine.ts'
import { Payload } from '../../core/request.ts'
import { type Evaluation, importPayloads, makeWorkload, WORKLOAD } from './workload.ts'

export type StoreKind = 'memory' | 'sqlite'

/** The peer of a request over HTTP without authentication, so that every side evaluates the same inputs. */
const PEER = { kind: 'anonymous', id: 'anonymous' } as const
const OPERATOR = { kind: 'operator', id: 'bench' } as const
export const ACTION = 'access.evaluate'
export const ENTRYPOINT = 'assay/access/decision'

export interface World {
  readonly composed: Composed
  readonly bundle: Bundle
  /** The very object that the kernel evaluates with. */
  readonly policy: Policy
}

/** A kernel over an empty store that `seed` then fills; closing is the caller's. */
export async function openWorld(
  data: string,
  kind: StoreKind,
  parts: readonly Part[] = [],
): Promise<World> {
  const config = await loadConfig({ data })
  const store = kind === 'memory' ? { kind } : config.store
  const loaded: { bundle: Bundle; policy: Policy }[] = []
  const engine: Engine = {
    name: 'engine/jit',
    async load(bundle) {
      const policy = await createJitEngine({ checkInputs: false }).load(bundle)
      loaded.push({ bundle, policy })
      return policy
    },
  }
  const chosen: Part[] = [{ port: 'engine', open: () => engine }, ...parts]
  const composed = await compose({ ...config, store }, { parts: chosen, watch: false })
  const [first] = loaded
  if (first === undefined) throw new Error('no policy was loaded')
  return { composed, ...first }
}

/** Stores the workload's subjects, roles and resources, as logged decisions. */
export async function seed(kernel: Kernel): Promise<void> {
  for (const payload of importPayloads(makeWorkload())) {
    const action = 'access.import'
    const decision = await kernel.decide({
      action,
      payload: Payload.fromJson(payload),
      peer: OPERATOR,
    })
    if (!decision.allow)
      throw new Error(`import refused: ${decision.reasons.map(({ code }) => code).join(', ')}`)
  }
}

/** One request of the workload. */
export interface Case {
  readonly evaluation: Evaluation
  /** The AuthZEN request's body. */
  readonly body: string
  /** What the policy is asked: what the kernel, the floor and OPA's server evaluate. */
  readonly input: PolicyInput
  /** What the leaf commits to, without the verdict. */
  readonly texts: ReadonlyMap<string, string>
  readonly allow: boolean
  readonly reads: number
}

export function submissionOf(evaluation: Evaluation): Submission {
  return { action: ACTION, payload: Payload.fromJson(evaluation), peer: PEER }
}

/** Every request of the workload with its facts, as the plugin reports them from a store in memory. */
export async function makeCases(
  data: string,
): Promise<{ readonly cases: readonly Case[]; readonly bundle: Bundle }> {
  const { store, log } = openMemory()
  const seen = { reads: 0, input: undefined as PolicyInput | undefined }
  const get = store.get.bind(store)
  store.get = (key) => {
    if (key.partition === 'access') seen.reads++
    return get(key)
  }
  const { composed, policy, bundle } = await openWorld(data, 'memory', [
    { port: 'store', open: () => ({ store, log }) },
  ])
  const evaluate = policy.evaluate.bind(policy)
  policy.evaluate = (entrypoint, input) => {
    seen.input = input
    return evaluate(entrypoint, input)
  }
  try {
    await seed(composed.kernel)
    const cases: Case[] = []
    for (const evaluation of makeWorkload().requests) {
      seen.reads = 0
      const { allow } = await composed.kernel.check(submissionOf(evaluation))
      if (seen.input === undefined) throw new Error('the policy was not asked')
      const { input, reads } = seen
      const body = JSON.stringify(evaluation)
      cases.push({ evaluation, body, input, texts: textsOf(body, input), allow, reads })
    }
    return { cases, bundle }
  } finally {
    await composed.close()
  }
}

function textsOf(body: string, { value }: PolicyInput): ReadonlyMap<string, string> {
  const { facts, request } = value as { facts: { [name: string]: Json }; request: Json }
  const named = Object.entries(facts).map(
    ([name, fact]) => [`facts.${name}`, JSON.stringify(fact)] as const,
  )
  return new Map([
    ...named,
    ['payload', JSON.stringify(body)],
    ['request', JSON.stringify(request)],
  ])
}

/** Refuses to measure anything but the workload that the name stands for. */
export function assertWorkload(cases: readonly Case[]): void {
  const allowed = cases.filter(({ allow }) => allow).length / cases.length
  const facts = cases.every(
    ({ texts }) => [...texts.keys()].filter((field) => field.startsWith('facts.')).length === 5,
  )
  const reads = cases.every((each) => each.reads === 3)
  if (!facts || !reads || allowed < 0.55 || allowed > 0.65)
    throw new Error(
      `this is not ${WORKLOAD}: 5 facts ${facts}, 3 reads ${reads}, allowed ${allowed}`,
    )
}
