/** Decisions that the kernel makes itself: policy activations, outcomes of external actions, counted leaves. Logged like any. */
import type { Committed } from './commit.ts'
import type { Core } from './core.ts'
import { type Draft, decisionId, PARTITION, recordWithin } from './decision.ts'
import { EngineError, KernelError, NoDecision } from './error.ts'
import type { Json } from './json.ts'
import { leafHash } from './log/leaf.ts'
import { observed } from './observe.ts'
import type { Bundle, Release } from './ports/compiler.ts'
import type { DataOperation, Policy } from './ports/engine.ts'
import type { Batch, Key, Stored, Write } from './ports/store.ts'

/** What a policy may be to the kernel, and where the one that is that now is kept. */
const ROLES = {
  active: { action: 'kernel.activate-policy', code: 'policy_activated' },
  shadow: { action: 'kernel.shadow-policy', code: 'policy_shadowed' },
} as const

/** What becomes of the active policy's data; `release` where somebody signed the change. */
export interface DataChange {
  readonly operations: readonly DataOperation[]
  readonly release: Release | undefined
}

export class OwnDecisions {
  readonly #core: Core
  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Logs that a policy becomes the active one and keeps its sources for those who re-run decisions. The one that was active last is not
   * logged again.
   *
   * @throws EngineError `invalid_bundle`: an entry point is missing or cannot be evaluated; the old policy stays
   */
  activation(policy: Policy, bundle: Bundle, entrypoints: readonly string[]): Promise<void> {
    return this.#serve('active', policy, bundle, entrypoints)
  }

  /** {@link activation} of a shadow. */
  shadowing(policy: Policy, bundle: Bundle, entrypoints: readonly string[]): Promise<void> {
    return this.#serve('shadow', policy, bundle, entrypoints)
  }

  async #serve(
    role: keyof typeof ROLES,
    policy: Policy,
    bundle: Bundle,
    entrypoints: readonly string[],
  ): Promise<void> {
    await this.#selfTest(policy, entrypoints)
    // Processes that start at once serve the same: whoever comes second finds it logged.
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#logServed(role, policy, bundle)
      } catch (error) {
        if (!(error instanceof Raced) || attempt >= this.#core.limits.maxAttempts) throw error
      }
  }

  async #logServed(role: keyof typeof ROLES, policy: Policy, bundle: Bundle): Promise<void> {
    const { digest, revision } = policy
    const key: Key = { partition: PARTITION.policy, sort: role }
    const active = await this.#core.store.get(key)
    const { release } = bundle
    const now = JSON.stringify({ digest, revision, release })
    if (active && decoder.decode(active.value) === now) return
    const kept: Key = { partition: PARTITION.policy, sort: `${digest}/${revision}` }
    const writes: Write[] = [
      { put: key, value: encoder.encode(now), if: active?.version ?? 'absent' },
    ]
    if (release && role === 'active') writes.push(await this.#forward(release))
    if (!(await this.#core.store.get(kept))) {
      const { sources, data, capabilities } = bundle
      const value = encoder.encode(
        JSON.stringify({ capabilities, data, entrypoints: bundle.entrypoints, sources }),
      )
      writes.push(...inParts(kept, value, this.#core.store.maxValueBytes))
    }
    const { action, code } = ROLES[role]
    const payload = { digest, revision, ...(release && { release: { ...release } }) }
    await this.#log(action, code, payload, writes, policy)
  }

  /** Logs a change of the active policy's data, and keeps the change: with what was kept before, it gives the data again. */
  async update(
    { digest, revision }: Policy,
    previous: string,
    { operations, release: next }: DataChange,
  ): Promise<void> {
    const key: Key = { partition: PARTITION.policy, sort: 'active' }
    const kept: Key = { partition: PARTITION.policy, sort: `${digest}/${revision}` }
    const { store } = this.#core
    const active = await store.get(key)
    if (!active) throw new NoDecision('unavailable', 'the active policy is not in the store')
    const before = JSON.parse(decoder.decode(active.value)) as { release?: Release }
    const release = next ?? before.release
    const now = encoder.encode(JSON.stringify({ digest, revision, release }))
    const writes: Write[] = [{ put: key, value: now, if: active.version }]
    if (next) writes.push(await this.#forward(next))
    if (!(await store.get(kept))) {
      const value = encoder.encode(JSON.stringify({ operations, previous }))
      writes.push(...inParts(kept, value, store.maxValueBytes))
    }
    const payload = { digest, previous, revision, ...(next && { release: { ...next } }) }
    await this.#log('kernel.update-data', 'data_updated', payload, writes, { digest, revision })
  }

  /** Logs that a policy was offered and is not taken, for the reason `code`; what serves goes on. */
  refusal(code: string, offered: Json): Promise<void> {
    return this.#log('kernel.refuse-policy', code, offered, [], this.#core.policy(), false)
  }

  /** A release may serve again, and never an earlier one or another of its number: who races another is refused by the commit. */
  async #forward(release: Release): Promise<Write> {
    const key: Key = { partition: PARTITION.policy, sort: 'release' }
    const row = await this.#core.store.get(key)
    const { counter, content } = row ? (JSON.parse(decoder.decode(row.value)) as Release) : release
    if (counter > release.counter || (counter === release.counter && content !== release.content))
      throw new EngineError('kernel', 'invalid_bundle', `release ${counter} has served already`)
    return {
      put: key,
      value: encoder.encode(JSON.stringify(release)),
      if: row?.version ?? 'absent',
    }
  }

  /** Logs what came of an external action and takes it out of the outbox. */
  async outcome(entry: Stored, outcome: Json): Promise<void> {
    const remove: Write = { remove: entry.key, if: entry.version }
    await this.#log(
      'kernel.perform',
      'performed',
      { entry: entry.key.sort, outcome },
      [remove],
      this.#core.policy(),
    )
  }

  /** A leaf that is no decision. */
  async leaf(text: string): Promise<void> {
    const id = decisionId(this.#core.clock.now())
    await this.#submit(id, { writes: [], leaf: encoder.encode(text) }, leafHash(text))
  }

  /** A policy that cannot answer an empty question never serves. */
  async #selfTest(policy: Policy, entrypoints: readonly string[]): Promise<void> {
    const value = {
      facts: {},
      now: 0,
      request: { action: '', obligations: [], peer: { id: '', kind: '' } },
    }
    for (const entrypoint of entrypoints) {
      if (!policy.entrypoints.includes(entrypoint)) {
        throw new EngineError(
          'kernel',
          'invalid_bundle',
          `the policy has no entry point ${entrypoint}`,
        )
      }
      try {
        const { deadlines, limits } = this.#core
        const answer = policy.evaluate(entrypoint, { value, text: JSON.stringify(value) })
        if (answer instanceof Promise) await deadlines.start(limits.timeoutMs).race(answer)
      } catch (cause) {
        const code = cause instanceof KernelError ? cause.code : 'internal'
        const what = `${entrypoint} cannot be evaluated (${code})`
        throw new EngineError('kernel', 'invalid_bundle', what, { cause })
      }
    }
  }

  async #log(
    action: string,
    code: string,
    payload: Json,
    writes: readonly Write[],
    policy: Draft['policy'],
    allow = true,
  ): Promise<void> {
    const startedAt = this.#core.clock.now()
    const reason = { code: `kernel/${code}`, message: '', rule: `kernel/${code}` }
    const draft: Draft = {
      id: decisionId(startedAt),
      action,
      now: Math.floor(startedAt / 1000),
      policy: policy && { digest: policy.digest, revision: policy.revision },
      answer: { allow, reasons: [reason], obligations: [] },
      texts: new Map([['payload', JSON.stringify(JSON.stringify(payload))]]),
      writes,
      outbox: 0,
    }
    const recorded = recordWithin(this.#core, draft)
    if (!recorded) throw new NoDecision('unavailable', `${action} is larger than the store takes`)
    const { leaf, leafHash: hash } = recorded.record
    const batch: Batch = { writes: recorded.record.writes, leaf: encoder.encode(leaf) }
    const committed = await this.#submit(draft.id, batch, hash)
    this.#core.watching?.decided(observed(draft, committed, false))
  }

  async #submit(id: string, batch: Batch, hash: Uint8Array): Promise<Committed> {
    const startedAt = this.#core.clock.now()
    const committed = await this.#core.committer.submit({
      id,
      batch,
      leafHash: hash,
      startedAt,
      waitForSeal: false,
    })
    if ('index' in committed) return committed
    throw new Raced('unavailable', 'somebody else changed the same record; try again')
  }
}

/** Another writer was first, and nothing was written. */
class Raced extends NoDecision {}

/** One record, or several where a value is too large for one: their keys are the first one's with a number behind it. */
function inParts({ partition, sort }: Key, value: Uint8Array, maxBytes: number): Write[] {
  return Array.from({ length: Math.ceil(value.length / maxBytes) }, (_, i) => ({
    put: { partition, sort: i === 0 ? sort : `${sort}/${i}` },
    value: value.slice(i * maxBytes, (i + 1) * maxBytes),
    if: 'absent',
  }))
}
const encoder = new TextEncoder()
const decoder = new TextDecoder()
