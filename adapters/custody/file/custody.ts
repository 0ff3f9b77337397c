/** The file custody itself: which key versions there are, what state each is in, and signing with one of them. */

import { sign } from 'node:crypto'
import { checkKeyName, checkKeyRef, checkServed } from '../../../core/keyref.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import {
  type Custody,
  KEY_ALGORITHMS,
  KEY_TRANSITIONS,
  type KeyAlgorithm,
  type KeyRef,
  type KeyScope,
  type KeyState,
  type PublicKey,
  type SigningRequest,
} from '../../../core/ports/custody.ts'
import { NAME, refuse } from './failure.ts'
import type { FolderKey } from './header.ts'
import { generateKey, type StoredKey } from './key.ts'
import { KeyFiles, labelOf } from './keyfiles.ts'
import { exclusively } from './lock.ts'

export interface Settings {
  readonly scopes: readonly KeyScope[]
  readonly clock: Clock | undefined
  /** What the files are encrypted with; undefined: they are not. */
  readonly folderKey: FolderKey | undefined
  /** How long a change waits for one of another process. */
  readonly lockWaitMs: number
}

export class FileCustody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[] = KEY_ALGORITHMS
  readonly maxMessageBytes = 1_048_576
  readonly #folder: string
  readonly #clock: Clock | undefined
  readonly #files: KeyFiles
  readonly #lockWaitMs: number
  #closed = false

  constructor(folder: string, { scopes, clock, folderKey, lockWaitMs }: Settings) {
    this.scopes = Object.freeze([...scopes])
    this.#folder = folder
    this.#clock = clock
    this.#lockWaitMs = lockWaitMs
    this.#files = new KeyFiles(folder, this.scopes, folderKey)
    this.#files.loadAll()
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    this.#assertServes(scope)
    return this.#files.refs(scope).map((ref) => published(ref, this.#files.load(ref)))
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    this.#assertServes(scope)
    checkKeyName(NAME, name)
    if (algorithm !== undefined && !KEY_ALGORITHMS.includes(algorithm))
      throw refuse('algorithm_mismatch', `keys here are ${KEY_ALGORITHMS.join(' or ')}`)
    return exclusively(this.#folder, this.#lockWaitMs, () => {
      this.#files.sweep()
      // All of them: the new key must be nobody's, and no copied file may pass for one.
      const versions = this.#files
        .loadAll()
        .filter((ref) => ref.scope === scope && ref.name === name)
      const ref = { scope, name, version: 1 + Math.max(0, ...versions.map((old) => old.version)) }
      const own = versions[0] && this.#files.load(versions[0]).algorithm
      if (own !== undefined && algorithm !== undefined && algorithm !== own)
        throw refuse('algorithm_mismatch', `${scope}/${name} is ${own}; give the new key a name`)
      const created = this.#clock && new Date(this.#clock.now()).toISOString()
      this.#files.write(ref, generateKey(algorithm ?? own ?? KEY_ALGORITHMS[0], created))
      return published(ref, this.#files.load(ref))
    })
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    this.#assertKnown(key)
    return exclusively(this.#folder, this.#lockWaitMs, () => {
      const loaded = this.#files.load(key)
      if (!KEY_TRANSITIONS[loaded.state].includes(state))
        throw refuse(
          'invalid_transition',
          `${labelOf(key)} is ${loaded.state} and cannot be ${state}`,
        )
      this.#files.write(key, { ...loaded, state })
      return published(key, this.#files.load(key))
    })
  }

  async sign({ key, message }: SigningRequest): Promise<Uint8Array> {
    this.#assertKnown(key)
    if (message.length < 1 || message.length > this.maxMessageBytes)
      throw refuse('too_large', `a message has 1 to ${this.maxMessageBytes} bytes`)
    const { algorithm, secret, state } = this.#files.load(key)
    if (state === 'pre-active')
      throw refuse('not_active', `${labelOf(key)} is pre-active; activate it first`)
    if (state !== 'active')
      throw refuse('retired', `${labelOf(key)} is ${state}; sign with the active version`)
    return algorithm === 'ed25519'
      ? new Uint8Array(sign(null, message, secret))
      : new Uint8Array(sign('sha256', message, { key: secret, dsaEncoding: 'ieee-p1363' }))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#files.forget()
  }

  #assertServes(scope: KeyScope): void {
    if (this.#closed) throw refuse('closed', 'the custody was closed; open it again')
    checkServed(NAME, this.scopes, scope)
  }

  /** Names become paths: nothing else may get there. */
  #assertKnown(key: KeyRef): void {
    this.#assertServes(key.scope)
    checkKeyRef(NAME, key)
  }
}

/** A copy, with nothing private. */
function published(
  { scope, name, version }: KeyRef,
  { algorithm, publicKey, state }: StoredKey,
): PublicKey {
  return { scope, name, version, algorithm, publicKey: publicKey.slice(), state }
}
