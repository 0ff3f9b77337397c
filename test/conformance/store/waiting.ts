/**
 * The memory store, with leaves that wait for their places: what a store that does not order at commit promises, without a server. Several logs can
 * be opened over one, as several processes would: one of them leads, until it has nothing to do or lets go.
 */
import { openMemory } from '../../../adapters/store/memory/index.ts'
import { StoreError } from '../../../core/error.ts'
import { publishedHead } from '../../../core/log/reader.ts'
import type { Integration, LogStore } from '../../../core/ports/logstore.ts'
import type { Batch, Outcome, Store } from '../../../core/ports/store.ts'
import { logWith, storeWith } from './delegate.ts'
import type { Opened, StoreSubject } from './subject.ts'

/** What is shared: the rows, the leaves that wait, and who leads. */
export class Waiting {
  readonly #memory = openMemory()
  #pending: Uint8Array[] = []
  #holder: symbol | undefined

  /** One process. */
  open(): { readonly store: Store; readonly log: LogStore } {
    const me = Symbol('process')
    let closed = false
    const log = logWith(this.#memory.log, {
      integrate: async () => {
        if (closed) throw new StoreError('logstore/waiting', 'closed', 'the log was closed')
        return this.#integrate(me)
      },
      close: async () => {
        closed = true
        if (this.#holder === me) this.#holder = undefined
      },
    })
    const store = storeWith(this.#memory.store, {
      ordersOnCommit: false,
      commit: (batches) => this.#commit(batches),
      close: async () => undefined,
    })
    return { log, store }
  }

  /** The holder is gone without a word. */
  forget(): void {
    this.#holder = undefined
  }

  async #commit(batches: readonly Batch[]): Promise<readonly Outcome[]> {
    const outcomes = await this.#memory.store.commit(batches.map(({ writes }) => ({ writes })))
    for (const [i, { leaf }] of batches.entries())
      if (leaf && !('conflict' in outcomes[i]! || 'error' in outcomes[i]!))
        this.#pending.push(new Uint8Array(leaf))
    return outcomes
  }

  async #integrate(me: symbol): Promise<Integration> {
    const { log, store } = this.#memory
    const others = this.#holder !== undefined && this.#holder !== me
    if (others) return { size: await log.size(), leads: false, pending: this.#pending.length }
    const taken = this.#pending.splice(0)
    await store.commit(taken.map((leaf) => ({ writes: [], leaf })))
    const size = await log.size()
    const sealed = (await publishedHead(log).catch(() => undefined))?.size ?? 0n
    const leads = taken.length > 0 || sealed < size
    this.#holder = leads ? me : undefined
    return { size, leads, pending: 0 }
  }
}

/** What the mutants are made of. */
export const waitingSubject: StoreSubject = {
  name: 'store/waiting',
  async open() {
    let waiting = new Waiting()
    let pair = waiting.open()
    const opened: Opened = {
      get store() {
        return pair.store
      },
      get log() {
        return pair.log
      },
      async reopen() {
        await pair.log.close()
        waiting = new Waiting()
        pair = waiting.open()
        return opened
      },
      dispose: () => pair.log.close(),
    }
    return opened
  },
}
