/** Custody on a PKCS #11 token: which key versions there are, what state each is in, and signing with one of them. */

import { randomUUID } from 'node:crypto'
import { checkKeyName, checkKeyRef, checkServed } from '../../../core/keyref.ts'
import {
  type Custody,
  KEY_TRANSITIONS,
  type KeyAlgorithm,
  type KeyRef,
  type KeyScope,
  type KeyState,
  type PublicKey,
  type SigningRequest,
} from '../../../core/ports/custody.ts'
import { claim } from './claim.ts'
import { NAME, refuse } from './failure.ts'
import type { Host } from './host.ts'
import { byNameAndVersion, labelOf, prefixOf, type Version, versionOf } from './labels.ts'
import { verifies } from './verify.ts'

export interface Settings {
  readonly host: Host
  readonly algorithms: readonly KeyAlgorithm[]
  readonly prefix: string
  readonly scopes: readonly KeyScope[]
  readonly timeoutMs: number
}

export class Pkcs11Custody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[]
  readonly maxMessageBytes = 65_536
  readonly #host: Host
  readonly #prefix: string
  readonly #timeoutMs: number
  /** The last one to make a key: those of this process wait for each other. */
  #making: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor({ algorithms, host, prefix, scopes, timeoutMs }: Settings) {
    this.algorithms = Object.freeze([...algorithms])
    this.scopes = Object.freeze([...scopes])
    this.#host = host
    this.#prefix = prefix
    this.#timeoutMs = timeoutMs
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    this.#assertServes(scope)
    return this.#within(async (limit) =>
      (await this.#versions(scope, limit)).filter(isMade).map(published),
    )
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    this.#assertServes(scope)
    checkKeyName(NAME, name)
    if (algorithm !== undefined && !this.algorithms.includes(algorithm))
      throw refuse('algorithm_mismatch', `the token makes ${this.algorithms.join(' and ')} keys`)
    return this.#within((limit) => {
      const making = this.#making.then(() => this.#create({ scope, name }, algorithm, limit))
      this.#making = making.catch(() => undefined)
      return making
    })
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    this.#assertKnown(key)
    return this.#within(async (limit) => {
      const found = await this.#version(key, limit)
      if (!KEY_TRANSITIONS[found.state].includes(state))
        throw refuse(
          'invalid_transition',
          `${nameOf(key)} is ${found.state} and cannot be ${state}`,
        )
      // One step that nobody can undo, whatever they write into labels.
      if (state === 'revoked') await this.#host.ask('destroy', { id: found.id, both: false }, limit)
      const label = labelOf(this.#prefix, key, state)
      await this.#host.ask('relabel', { id: found.id, label }, limit)
      return { ...published(found), state }
    })
  }

  async sign({ key, message }: SigningRequest): Promise<Uint8Array> {
    this.#assertKnown(key)
    if (message.length < 1 || message.length > this.maxMessageBytes)
      throw refuse('too_large', `a message has 1 to ${this.maxMessageBytes} bytes`)
    const copy = message.slice()
    return this.#within(async (limit) => {
      const label = labelOf(this.#prefix, key, 'active')
      const signed = await this.#host.ask('sign', { label, message: copy }, limit)
      if (signed === undefined) throw await this.#whyNot(key, limit)
      if (!verifies(signed, copy))
        throw refuse('corrupt', `what the token signed with ${nameOf(key)} does not verify`)
      return signed.signature
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#host.close()
  }

  async #create(
    { name, scope }: Pick<KeyRef, 'name' | 'scope'>,
    algorithm: KeyAlgorithm | undefined,
    limit: AbortSignal,
  ): Promise<PublicKey> {
    const others = async (): Promise<readonly Version[]> =>
      (await this.#versions(scope, limit)).filter((one) => one.name === name)
    const [first] = await others()
    const own = first?.algorithm ?? algorithm ?? this.algorithms[0]
    if (own === undefined || (algorithm !== undefined && algorithm !== own))
      throw refuse('algorithm_mismatch', `${scope}/${name} is ${own}; give the new key a name`)
    const id = randomUUID().replaceAll('-', '')
    const privateLabel = `${prefixOf(this.#prefix, scope)}${name}`
    const asked = { id, algorithm: own, privateLabel }
    const label = (version: number, state?: KeyState): string =>
      labelOf(this.#prefix, { scope, name, version }, state)
    const made = await claim(
      {
        others,
        make: (version) => this.#host.ask('generate', { ...asked, label: label(version) }, limit),
        move: (version) => this.#host.ask('relabel', { id, label: label(version) }, limit),
        drop: () => this.#host.ask('destroy', { id, both: true }, limit),
        keep: (version) =>
          this.#host.ask('relabel', { id, label: label(version, 'pre-active') }, limit),
      },
      id,
      limit,
    )
    return { ...published(made), state: 'pre-active' }
  }

  async #versions(scope: KeyScope, limit: AbortSignal): Promise<readonly Version[]> {
    const prefix = prefixOf(this.#prefix, scope)
    const found = await this.#host.ask('list', { prefix }, limit)
    return found.flatMap((one) => versionOf(this.#prefix, scope, one) ?? []).sort(byNameAndVersion)
  }

  async #version(key: KeyRef, limit: AbortSignal): Promise<Version> {
    const found = (await this.#versions(key.scope, limit)).find(
      (one) => isMade(one) && one.name === key.name && one.version === key.version,
    )
    if (found === undefined) throw refuse('unknown_key', `there is no ${nameOf(key)}`)
    return found
  }

  async #whyNot(key: KeyRef, limit: AbortSignal): Promise<Error> {
    const { state } = await this.#version(key, limit)
    if (state === 'pre-active')
      return refuse('not_active', `${nameOf(key)} is pre-active; activate it first`)
    if (state === 'active')
      return refuse('unavailable', `${nameOf(key)} became active just now; try again`)
    return refuse('retired', `${nameOf(key)} is ${state}; sign with the active version`)
  }

  /** One deadline for everything that a call asks of the token. */
  async #within<T>(work: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.#timeoutMs)
    try {
      return await work(late.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  #assertServes(scope: KeyScope): void {
    if (this.#closed) throw refuse('closed', 'the custody was closed; open it again')
    checkServed(NAME, this.scopes, scope)
  }

  #assertKnown(key: KeyRef): void {
    this.#assertServes(key.scope)
    checkKeyRef(NAME, key)
  }
}

const isMade = ({ isClaim }: Version): boolean => !isClaim

const nameOf = ({ name, scope, version }: KeyRef): string =>
  `key ${scope}/${name} version ${version}`

function published({ algorithm, name, publicKey, scope, state, version }: PublicKey): PublicKey {
  return { scope, name, version, algorithm, publicKey, state }
}
