/** Reads of records: those that are asked for at the same time go out together, since most of what a request costs is the request. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client, Item } from './client.ts'
import type { ItemKey } from './table.ts'

/** Items of one request, at the most. */
const TOGETHER = 100

interface Asked {
  readonly key: ItemKey
  readonly answer: PromiseWithResolvers<Item | undefined>
}

export class Reads {
  readonly #client: Client
  /** By name; not sent yet. */
  #asked = new Map<string, Asked>()

  constructor(client: Client) {
    this.#client = client
  }

  /** As `Client.get`; several callers may get one item. @throws StoreError */
  get(key: ItemKey): Promise<Item | undefined> {
    if (this.#asked.size === 0) void nextTurn().then(() => this.#send())
    const name = nameOf(key)
    const asked = this.#asked.get(name) ?? { key, answer: Promise.withResolvers() }
    this.#asked.set(name, asked)
    return asked.answer.promise
  }

  #send(): void {
    const all = [...this.#asked]
    this.#asked = new Map()
    for (let at = 0; at < all.length; at += TOGETHER)
      void this.#sendSome(new Map(all.slice(at, at + TOGETHER)))
  }

  /** Throws nothing: whoever asked is told. */
  async #sendSome(some: ReadonlyMap<string, Asked>): Promise<void> {
    try {
      const items = await this.#read([...some.values()].map(({ key }) => key))
      const found = new Map(items.map((item) => [nameOf(item), item]))
      for (const [name, { answer }] of some) answer.resolve(found.get(name))
    } catch (error) {
      for (const { answer } of some.values()) answer.reject(error)
    }
  }

  async #read(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const [only, ...others] = keys
    if (only === undefined || others.length > 0) return await this.#client.getMany(keys)
    const item = await this.#client.get(only)
    return item === undefined ? [] : [item]
  }
}

/** U+0000 stands in no key. */
const nameOf = ({ pk, sk }: Item | ItemKey): string => `${pk?.S}\0${sk?.S}`
