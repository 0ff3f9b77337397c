/** The states of a key's versions: one record a key in KV version 2, replaced as a whole and only where nobody else did so first. */
import { fromBase64, randomBytes, toBase64, toHex } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import {
  KEY_ALGORITHMS,
  KEY_STATES,
  type KeyAlgorithm,
  type KeyScope,
  type KeyState,
} from '../../../core/ports/custody.ts'
import { type Answer, at, numberAt } from './client.ts'
import type { Deadline } from './deadline.ts'
import { isUnavailable, refuse, unexpected } from './failure.ts'
import type { Session } from './session.ts'
import { isNone } from './transit.ts'

export interface Recorded {
  readonly publicKey: Uint8Array
  readonly state: KeyState
}
export interface KeyRecord {
  readonly algorithm: KeyAlgorithm
  /** Of versions 1, 2, 3 ... */
  readonly versions: readonly Recorded[]
}
export interface Kept extends KeyRecord {
  /** The record's own version in KV: who replaces it says which one. */
  readonly revision: number
}

export interface RecordsOptions {
  readonly session: Session
  readonly address: string
  readonly mount: string
  readonly prefix: string
}

const FORMAT = 1
/** How often a replacement whose answer was lost is sent again. */
const WRITES = 2

export class Records {
  readonly #options: RecordsOptions

  constructor(options: RecordsOptions) {
    this.#options = options
  }

  /** In no order. */
  async names(scope: KeyScope, deadline: Deadline): Promise<readonly string[]> {
    const { prefix } = this.#options
    const { body, status } = await this.#read('list', `metadata/${prefix}/${scope}`, deadline)
    if (status === 404 && isNone(body)) return []
    const names = at(body, 'data', 'keys')
    if (status !== 200 || !Array.isArray(names))
      throw this.#unexpected(`list metadata/${prefix}/${scope}`, status)
    return names.filter((name): name is string => typeof name === 'string')
  }

  /** @throws CustodyError `corrupt`: it was deleted, or is no such record */
  async read(scope: KeyScope, name: string, deadline: Deadline): Promise<Kept | undefined> {
    const path = this.#path(scope, name)
    const { body, status } = await this.#read('read', path, deadline)
    if (status === 404 && isNone(body)) return undefined
    if (status === 404 && at(body, 'data', 'metadata') !== undefined)
      throw refuse('corrupt', `${path} was deleted; undelete it: without it revocations are lost`)
    if (status !== 200) throw this.#unexpected(`read ${path}`, status)
    if (at(body, 'data', 'metadata') === undefined) throw this.#noVersions()
    const revision = numberAt(body, 'data', 'metadata', 'version')
    const kept = recordIn(at(body, 'data', 'data'))
    if (kept === undefined)
      throw refuse('corrupt', `${path} is not as it was written; restore an earlier version of it`)
    return { ...kept, revision }
  }

  /**
   * Puts a record in the place of `revision` (0: there is none yet). False when somebody else did so first.
   * @throws CustodyError `unknown_outcome`: Vault does not say whether it did
   */
  async replace(
    scope: KeyScope,
    name: string,
    record: KeyRecord,
    revision: number,
    deadline: Deadline,
  ): Promise<boolean> {
    const path = this.#path(scope, name)
    const writer = toHex(randomBytes(16))
    const body = { options: { cas: revision }, data: encode(record, writer) }
    try {
      for (let tried = 0; tried < WRITES; tried++) {
        const answer = await this.#write(path, body, deadline)
        if (answer?.status === 200) return this.#confirm(answer, revision)
        const there = await this.#writerOf(path, revision + 1, deadline)
        if (there !== undefined) return there === writer
        // Vault's answer means that it was not written, and nobody else wrote either: it is not about the revision.
        if (answer !== undefined) throw this.#unexpected(`write ${path}`, answer.status)
      }
    } catch (error) {
      if (!isUnavailable(error)) throw error
    }
    throw refuse('unknown_outcome', `no answer to write ${path}; list the keys, then try again`)
  }

  /** Undefined when there was no answer that says no. */
  async #write(
    path: string,
    body: Readonly<Record<string, unknown>>,
    deadline: Deadline,
  ): Promise<Answer | undefined> {
    const { mount, session } = this.#options
    const question = { verb: 'write', path: `${mount}/${path}`, body, repeatable: false } as const
    const answer = await session.ask(question, deadline).catch((error: unknown) => {
      if (isUnavailable(error)) return undefined
      throw error
    })
    // Throttled, it was not done, and may be the next time.
    return answer && answer.status < 500 && answer.status !== 429 ? answer : undefined
  }

  #confirm({ body }: Answer, revision: number): true {
    if (at(body, 'data', 'version') !== revision + 1) throw this.#noVersions()
    return true
  }

  /** Who wrote one revision; undefined when nobody did. */
  async #writerOf(path: string, revision: number, deadline: Deadline): Promise<string | undefined> {
    const { body, status } = await this.#read('read', `${path}?version=${revision}`, deadline)
    if (status === 404) return at(body, 'data', 'metadata') === undefined ? undefined : 'unknown'
    if (status !== 200) throw this.#unexpected(`read ${path}`, status)
    return String(at(body, 'data', 'data', 'writer'))
  }

  #read(verb: 'list' | 'read', path: string, deadline: Deadline): Promise<Answer> {
    const { mount, session } = this.#options
    return session.ask({ verb, path: `${mount}/${path}`, repeatable: true }, deadline)
  }

  #path(scope: KeyScope, name: string): string {
    return `data/${this.#options.prefix}/${scope}/${name}`
  }

  #noVersions(): Error {
    const what = `kvMount ${this.#options.mount} is no KV of version 2`
    return refuse('misconfigured', `${what}; mount one, or correct kvMount`)
  }

  #unexpected(asked: string, status: number): Error {
    return unexpected(this.#options.address, `${asked} in kvMount ${this.#options.mount}`, status)
  }
}

function encode({ algorithm, versions }: KeyRecord, writer: string): Json {
  return {
    format: FORMAT,
    algorithm,
    writer,
    versions: versions.map(({ publicKey, state }) => ({ publicKey: toBase64(publicKey), state })),
  }
}

function recordIn(value: Json | undefined): KeyRecord | undefined {
  const algorithm = KEY_ALGORITHMS.find((known) => known === at(value, 'algorithm'))
  const versions = at(value, 'versions')
  if (at(value, 'format') !== FORMAT || !algorithm || !Array.isArray(versions)) return undefined
  const recorded = versions.map(recordedIn)
  return recorded.includes(undefined)
    ? undefined
    : { algorithm, versions: recorded as readonly Recorded[] }
}

function recordedIn(value: Json): Recorded | undefined {
  const state = KEY_STATES.find((known) => known === at(value, 'state'))
  const text = at(value, 'publicKey')
  const publicKey = typeof text === 'string' ? fromBase64(text) : undefined
  return state && publicKey && { publicKey, state }
}
