/** The port on Vault: what may be asked for, and signing. */
import { checkKeyName, checkKeyRef, checkServed } from '../../../core/keyref.ts'
import {
  type Custody,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  type KeyRef,
  type KeyScope,
  type KeyState,
  type PublicKey,
  type SigningRequest,
} from '../../../core/ports/custody.ts'
import { type Changes, labelOf } from './changes.ts'
import type { Deadline } from './deadline.ts'
import { NAME, refuse } from './failure.ts'
import type { KnownKeys } from './known.ts'
import type { Session } from './session.ts'
import type { Transit } from './transit.ts'

export interface VaultParts {
  readonly session: Session
  readonly transit: Transit
  readonly known: KnownKeys
  readonly changes: Changes
}

export class VaultCustody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[] = KEY_ALGORITHMS
  readonly maxMessageBytes = 1_048_576
  readonly #parts: VaultParts
  #closed = false

  constructor(parts: VaultParts, scopes: readonly KeyScope[]) {
    this.#parts = parts
    this.scopes = Object.freeze([...scopes])
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    const deadline = this.#begin(scope)
    return (await this.#parts.known.list(scope, deadline)).map(copyOf)
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    const deadline = this.#begin(scope)
    checkKeyName(NAME, name)
    if (algorithm !== undefined && !this.algorithms.includes(algorithm))
      throw refuse('algorithm_mismatch', `keys here are ${this.algorithms.join(' or ')}`)
    return this.#changing(() => this.#parts.changes.create(scope, name, algorithm, deadline))
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    const deadline = this.#begin(key.scope)
    const ref = checkedRef(key)
    return this.#changing(() => this.#parts.changes.transition(ref, state, deadline))
  }

  /** What was listed before and meanwhile is forgotten, whether or not the change is known to have happened. */
  async #changing(change: () => Promise<PublicKey>): Promise<PublicKey> {
    try {
      return copyOf(await change())
    } finally {
      this.#parts.known.changed()
    }
  }

  async sign({ key, message }: SigningRequest): Promise<Uint8Array> {
    const deadline = this.#begin(key.scope)
    const ref = checkedRef(key)
    if (message.length < 1 || message.length > this.maxMessageBytes)
      throw refuse('too_large', `a message has 1 to ${this.maxMessageBytes} bytes`)
    // Of a Buffer, slice would be no copy.
    const signed = Uint8Array.from(message)
    const { known, transit } = this.#parts
    const found = await known.find(ref, deadline)
    if (found === undefined) throw refuse('unknown_key', `there is no ${labelOf(ref)}`)
    checkState(found)
    const signature = await transit.sign(ref, found.algorithm, signed, deadline)
    if (signature === undefined) throw await this.#whyNot(found, deadline)
    if (signature.length !== 64 || !known.verifies(found, signed, signature))
      throw refuse('corrupt', `Vault's signature is not of ${labelOf(ref)}; see its log`)
    return signature
  }

  /** Vault refused what the record allows. */
  async #whyNot(ref: PublicKey, deadline: Deadline): Promise<Error> {
    const { known, transit } = this.#parts
    const key = await transit.read(ref.scope, ref.name, deadline)
    known.changed()
    if (key === undefined)
      return refuse('misconfigured', `there is no more ${labelOf(ref)} in mount; correct mount`)
    if (ref.version < key.limits.signing)
      return refuse('retired', `Vault signs no more with ${labelOf(ref)}; sign with the active one`)
    return refuse('unavailable', `Vault does not sign with ${labelOf(ref)}; see its log`)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#parts.session.close()
  }

  #begin(scope: KeyScope): Deadline {
    if (this.#closed) throw refuse('closed', 'the custody was closed; open it again')
    checkServed(NAME, this.scopes, scope)
    return this.#parts.session.deadline()
  }
}

/** Names become paths: nothing else may get there. */
function checkedRef({ name, scope, version }: KeyRef): KeyRef {
  const ref = { scope, name, version }
  checkKeyRef(NAME, ref)
  return ref
}

function checkState(key: PublicKey): void {
  if (key.state === 'pre-active')
    throw refuse('not_active', `${labelOf(key)} is pre-active; activate it first`)
  if (key.state !== 'active')
    throw refuse('retired', `${labelOf(key)} is ${key.state}; sign with the active version`)
}

function copyOf({ scope, name, version, algorithm, publicKey, state }: PublicKey): PublicKey {
  return { scope, name, version, algorithm, publicKey: Uint8Array.from(publicKey), state }
}
