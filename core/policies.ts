/** The policies of a kernel, the active one and the shadow: loaded, logged, and only then in force, one swap after the other. */
import type { Core } from './core.ts'
import { MAX_TIMEOUT_MS } from './deadline.ts'
import { EngineError } from './error.ts'
import type { KernelOptions } from './kernel.ts'
import type { DataChange, OwnDecisions } from './own.ts'
import type { Bundle } from './ports/compiler.ts'
import type { Policy } from './ports/engine.ts'
import { revisionAfter } from './revision.ts'

export class Policies {
  readonly #engines: Pick<KernelOptions, 'engine' | 'shadowEngine'>
  #active: Policy | undefined
  #swapping: Promise<unknown> = Promise.resolve()

  constructor(engines: Pick<KernelOptions, 'engine' | 'shadowEngine'>) {
    this.#engines = engines
  }

  get active(): Policy | undefined {
    return this.#active
  }

  /** @throws EngineError, NoDecision: the one before it stays */
  activate(bundle: Bundle, core: Core, own: OwnDecisions): Promise<Policy> {
    return this.#inTurn(async () => {
      const policy = await this.#engines.engine.load(bundle)
      try {
        await own.activation(policy, bundle, core.registry.entrypoints)
      } catch (error) {
        await policy.close()
        throw error
      }
      this.#become(policy, core)
      return policy
    })
  }

  /** The active policy over changed data. @throws EngineError `invalid_patch`, NoDecision: the one before it stays */
  async update(change: DataChange, core: Core, own: OwnDecisions): Promise<Policy> {
    // What is done and what is logged are one, whatever becomes of the caller's own meanwhile.
    const operations = json(() => structuredClone(change.operations))
    return this.#inTurn(async () => {
      const previous = this.#active
      if (!previous) throw new EngineError('kernel', 'closed', 'no policy is active')
      const revision = json(() => revisionAfter(previous.revision, operations))
      const policy = await previous.patch(operations, revision)
      try {
        await own.update(policy, previous.revision, { ...change, operations })
      } catch (error) {
        await policy.close()
        throw error
      }
      this.#become(policy, core)
      return policy
    })
  }

  #become(policy: Policy, core: Core): void {
    const previous = this.#active
    this.#active = policy
    core.watching?.activated(policy.digest, policy.revision)
    closeLater(previous)
  }

  /** `undefined`: no shadow any more. @throws as {@link activate} */
  shadow(bundle: Bundle | undefined, core: Core, own: OwnDecisions): Promise<Policy | undefined> {
    return this.#inTurn(async () => {
      const { engine, shadowEngine = engine } = this.#engines
      const policy = bundle && (await shadowEngine.load(bundle))
      try {
        if (policy && bundle) await own.shadowing(policy, bundle, core.registry.entrypoints)
      } catch (error) {
        await policy?.close()
        throw error
      }
      closeLater(core.shadow.swap(policy))
      return policy
    })
  }

  /** Resolves when no swap is under way. */
  async settled(): Promise<void> {
    await this.#swapping
  }

  #inTurn<T>(swap: () => Promise<T>): Promise<T> {
    const swapped = this.#swapping.then(swap)
    this.#swapping = swapped.catch(() => undefined)
    return swapped
  }
}

function json<T>(made: () => T): T {
  try {
    return made()
  } catch (cause) {
    throw new EngineError('kernel', 'invalid_patch', 'the operations are not JSON', { cause })
  }
}

/** Deliberations under way still hold it: it is closed when the longest of them must be over. */
function closeLater(policy: Policy | undefined): void {
  if (policy) setTimeout(() => void letGo(policy), MAX_TIMEOUT_MS).unref?.()
}

/** Nobody can do anything about a policy that cannot be closed. */
export async function letGo(policy: Policy | undefined): Promise<void> {
  await policy?.close().catch(() => undefined)
}
