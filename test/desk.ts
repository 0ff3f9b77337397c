/**
 * The kernel's data path in miniature, for tests of a plugin with its policies: facts from plain records, the real compiler and engine,
 * and effects applied at once. No log, no races, no floor.
 */
import { createOpaCompiler } from '../adapters/compiler/opa/compiler.ts'
import type { Json } from '../core/json.ts'
import type { FactField, PastDecision, Plugin, ReadPorts } from '../core/plugin.ts'
import type { Sources } from '../core/ports/compiler.ts'
import type { Policy } from '../core/ports/engine.ts'
import { Payload, type Peer } from '../core/request.ts'
import { readVerdict, type Verdict } from '../core/verdict.ts'
import { testEngine } from './engine.ts'

export const OPERATOR: Peer = { kind: 'operator', id: 'test' }
export const ANONYMOUS: Peer = { kind: 'anonymous', id: 'anonymous' }

export async function loadPolicy(sources: Sources, entrypoint: string): Promise<Policy> {
  const compiler = createOpaCompiler()
  try {
    const built = await compiler.build(sources, {
      capabilities: 'trust',
      entrypoints: [entrypoint],
    })
    return await testEngine().load(built)
  } finally {
    await compiler.close()
  }
}

export class Desk {
  readonly records: Map<string, Json> = new Map<string, Json>()
  /** Unix seconds. */
  now: number = 1_800_000_000
  /** The id of the last decision. */
  last = ''
  readonly #past = new Map<string, PastDecision>()
  readonly #plugin: Plugin
  readonly #policy: Policy
  #decisions = 0

  constructor(plugin: Plugin, policy: Policy) {
    this.#plugin = plugin
    this.#policy = policy
  }

  async decide(action: string, payload: Json, peer: Peer = ANONYMOUS): Promise<Verdict> {
    const asked = new Set<string>()
    const request = { action, payload: Payload.fromJson(payload), peer, obligations: [] }
    const signal = new AbortController().signal
    const facts = await this.#plugin.facts(request, this.#reads(asked), this.now, signal)
    this.#expectConforming(facts as Record<string, unknown>)
    const asks = { action, obligations: [], peer: { id: peer.id, kind: peer.kind } }
    const value = { facts: facts as Json, now: this.now, request: asks }
    const entrypoint = `assay/${this.#plugin.name}/decision`
    const answer = await this.#policy.evaluate(entrypoint, { value, text: JSON.stringify(value) })
    const verdict = readVerdict(answer)
    if ('problem' in verdict) throw new Error(verdict.problem)
    this.last = String(++this.#decisions).padStart(32, '0')
    this.#past.set(this.last, { ...asks, payload: request.payload.text, verdict: answer as Json })
    this.#apply(verdict, asked)
    return verdict
  }

  /** `allow`, then the codes of the reasons. */
  async ask(action: string, payload: Json, peer?: Peer): Promise<readonly (boolean | string)[]> {
    const { allow, reasons } = await this.decide(action, payload, peer)
    return [allow, ...reasons.map(({ code }) => code)]
  }

  #reads(asked: Set<string>): ReadPorts {
    return {
      get: async (sort) => {
        asked.add(sort)
        return this.records.get(sort)
      },
      getFrom: async () => undefined,
      listGuarded: async () => [],
      snapshot: async (sort) => ({ value: this.records.get(sort), revision: '1' }),
      decided: async (id) => this.#past.get(id),
    }
  }

  #expectConforming(facts: Record<string, unknown>): void {
    for (const [name, { schema }] of Object.entries<FactField>(
      this.#plugin.schema as Record<string, FactField>,
    )) {
      const problem = schema.problem(facts[name], `/${name}`)
      if (problem !== undefined) throw new Error(problem)
    }
  }

  #apply(verdict: Verdict, asked: ReadonlySet<string>): void {
    const decisionId = this.last
    const read = (sort: string): Json | undefined => {
      if (!asked.has(sort)) throw new RangeError(`${sort} was not read`)
      return this.records.get(sort)
    }
    for (const effect of verdict.effects) {
      const kind = this.#plugin.effects?.[effect.kind]
      const problem = kind ? kind.schema.problem(effect, '') : `unknown effect ${effect.kind}`
      if (!kind || problem !== undefined) throw new Error(problem)
      const { writes = [] } = kind.plan(effect, { decisionId, now: this.now, read })
      for (const write of writes) {
        read('put' in write ? write.put : write.remove)
        if ('put' in write) this.records.set(write.put, structuredClone(write.value))
        else this.records.delete(write.remove)
      }
    }
  }
}
