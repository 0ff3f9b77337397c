/** The policies of a kernel, the active one and the shadow: loaded, logged, and only then in force, one swap after the other. */
import type { Core } from './core.ts'
import { MAX_TIMEOUT_MS } from './deadline.ts'
import type { KernelOptions } from './kernel.ts'
import type { OwnDecisions } from './own.ts'
import type { Bundle } from './ports/compiler.ts'
import type { Policy } from './ports/engine.ts'

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
      const previous = this.#active
      this.#active = policy
      core.watching?.activated(policy.digest, policy.revision)
      closeLater(previous)
      return policy
    })
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

/** Deliberations under way still hold it: it is closed when the longest of them must be over. */
function closeLater(policy: Policy | undefined): void {
  if (policy) setTimeout(() => void letGo(policy), MAX_TIMEOUT_MS).unref?.()
}

/** Nobody can do anything about a policy that cannot be closed. */
export async function letGo(policy: Policy | undefined): Promise<void> {
  await policy?.close().catch(() => undefined)
}
