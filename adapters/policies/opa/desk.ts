/**
 * What a server does about a user's OPA policies: it reads them, keeps the documents that callers pushed in their place, and makes each
 * push a new revision of the policies' data. Activations follow each other in one order, so the last one has every push.
 */
import type { Json } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Policy } from '../../../core/ports/engine.ts'
import type { Outbound } from '../../../core/ports/outbound.ts'
import type { Store } from '../../../core/ports/store.ts'
import { type Served, type ServedBundle, withDocuments, withPushed } from './union.ts'

/** The plugin's partition, and where pushed documents lie in it. */
const PARTITION = 'opa'
const PREFIX = 'document/'
const NOTHING: Served = { entrypoints: [], documents: {}, rules: [], owned: [[]], reserved: [] }

export class OpaDesk {
  readonly #store: () => Promise<Store>
  #kernel: Pick<Kernel, 'activate'> | undefined
  #bundle: ServedBundle | undefined
  #active: Policy | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: () => Promise<Store>) {
    this.#store = store
  }

  get served(): Served {
    return this.#bundle?.opa ?? NOTHING
  }

  /** The user's modules, by their own paths. */
  get modules(): ReadonlyMap<string, string> {
    const own = Object.entries(this.#bundle?.sources ?? {})
    const users = own.filter(([path]) => path.startsWith('opa.query/'))
    return new Map(users.map(([path, text]) => [path.slice('opa.query/'.length), text]))
  }

  serve(kernel: Pick<Kernel, 'activate'>): void {
    this.#kernel = kernel
  }

  /** What was pushed; undefined for what was removed. */
  async pushed(): Promise<ReadonlyMap<string, Json | undefined>> {
    const pushed = new Map<string, Json | undefined>()
    for await (const { key, value } of (await this.#store()).list(PARTITION, PREFIX)) {
      const record = JSON.parse(decoder.decode(value)) as { readonly value?: Json }
      pushed.set(key.sort.slice(PREFIX.length), record.value)
    }
    return pushed
  }

  /** New policies, over the documents as they are now. @throws what {@link Kernel.activate} throws */
  activate(bundle: ServedBundle): Promise<Policy> {
    return this.#inOrder(async () => {
      const policy = await this.#swap(bundle)
      this.#bundle = bundle
      return policy
    })
  }

  /** The same policies, over what was pushed meanwhile. */
  refresh(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#bundle !== undefined) await this.#swap(this.#bundle)
    })
  }

  /** Performs what a pushed document's decision asks for. */
  get outbound(): Outbound {
    return {
      name: 'outbound/opa-data',
      kinds: ['opa.activate-data'],
      perform: async () => {
        await this.refresh()
        return { revision: this.#active?.revision ?? '' }
      },
    }
  }

  async #swap(bundle: ServedBundle): Promise<Policy> {
    if (this.#kernel === undefined) throw new TypeError('there is no kernel yet')
    const documents = withPushed(bundle.opa?.documents ?? {}, await this.pushed())
    const next = withDocuments(bundle, documents)
    const { digest, revision } = next
    if (this.#active?.digest === digest && this.#active.revision === revision) return this.#active
    this.#active = await this.#kernel.activate(next)
    return this.#active
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
const decoder = new TextDecoder()
