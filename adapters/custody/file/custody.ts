/** The file custody itself: which key versions there are, what state each is in, and signing with one of them. */
import { sign } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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
import { guarded, NAME, refuse } from './failure.ts'
import {
  checkFolder,
  isTemporary,
  makeFolder,
  readSecret,
  type Stamp,
  stampAt,
  writeSecret,
} from './files.ts'
import { decodeKey, encodeKey, generateKey, type StoredKey } from './key.ts'
import { exclusively } from './lock.ts'

const KEY_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const FILE_NAME = /^([a-z0-9][a-z0-9-]{0,62})\.([1-9][0-9]{0,8})\.json$/

export interface Settings {
  readonly scopes: readonly KeyScope[]
  readonly clock: Clock | undefined
  /** How long a change waits for one of another process. */
  readonly lockWaitMs: number
}

interface Loaded extends StoredKey {
  readonly stamp: Stamp
}

export class FileCustody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[] = KEY_ALGORITHMS
  readonly maxMessageBytes = 1_048_576
  readonly #folder: string
  readonly #clock: Clock | undefined
  /** By path. Never leaves this object. */
  readonly #loaded = new Map<string, Loaded>()
  /** The path that a public key belongs to. */
  readonly #owners = new Map<string, string>()
  readonly #lockWaitMs: number
  #closed = false

  constructor(folder: string, { scopes, clock, lockWaitMs }: Settings) {
    this.scopes = Object.freeze([...scopes])
    this.#folder = folder
    this.#clock = clock
    this.#lockWaitMs = lockWaitMs
    this.#loadAll()
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    this.#assertServes(scope)
    return this.#refs(scope).map((ref) => published(ref, this.#load(ref)))
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    this.#assertServes(scope)
    checkName(name)
    if (algorithm !== undefined && !KEY_ALGORITHMS.includes(algorithm))
      throw refuse('algorithm_mismatch', `keys here are ${KEY_ALGORITHMS.join(' or ')}`)
    makeFolder(join(this.#folder, scope))
    return exclusively(this.#folder, this.#lockWaitMs, () => {
      this.#sweep(scope)
      // All of them: the new key must be nobody's, and no copied file may pass for one.
      const versions = this.#loadAll().filter((ref) => ref.scope === scope && ref.name === name)
      const ref = { scope, name, version: 1 + Math.max(0, ...versions.map((old) => old.version)) }
      const own = versions[0] && this.#load(versions[0]).algorithm
      if (own !== undefined && algorithm !== undefined && algorithm !== own)
        throw refuse('algorithm_mismatch', `${scope}/${name} is ${own}; give the new key a name`)
      const created = this.#clock && new Date(this.#clock.now()).toISOString()
      this.#write(ref, generateKey(algorithm ?? own ?? KEY_ALGORITHMS[0], created))
      return published(ref, this.#load(ref))
    })
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    this.#assertKnown(key)
    return exclusively(this.#folder, this.#lockWaitMs, () => {
      const loaded = this.#load(key)
      if (!KEY_TRANSITIONS[loaded.state].includes(state))
        throw refuse(
          'invalid_transition',
          `${labelOf(key)} is ${loaded.state} and cannot be ${state}`,
        )
      this.#write(key, { ...loaded, state })
      return published(key, this.#load(key))
    })
  }

  async sign({ key, message }: SigningRequest): Promise<Uint8Array> {
    this.#assertKnown(key)
    if (message.length < 1 || message.length > this.maxMessageBytes)
      throw refuse('too_large', `a message has 1 to ${this.maxMessageBytes} bytes`)
    const { algorithm, secret, state } = this.#load(key)
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
    this.#loaded.clear()
    this.#owners.clear()
  }

  #assertServes(scope: KeyScope): void {
    if (this.#closed) throw refuse('closed', 'the custody was closed; open it again')
    if (!this.scopes.includes(scope))
      throw refuse('scope_mismatch', `scope ${String(scope)} is not served here`)
  }

  /** Names become paths: nothing else may get there. */
  #assertKnown({ scope, name, version }: KeyRef): void {
    this.#assertServes(scope)
    checkName(name)
    if (!Number.isSafeInteger(version) || version < 1)
      throw refuse('unknown_key', 'versions are whole numbers from 1 on')
  }

  /** @throws CustodyError `duplicate_key`, and whatever a file is refused for */
  #loadAll(): KeyRef[] {
    const refs = this.scopes.flatMap((scope) => this.#refs(scope))
    for (const ref of refs) this.#load(ref)
    return refs
  }

  /** By name and version. */
  #refs(scope: KeyScope): KeyRef[] {
    const folder = join(this.#folder, scope)
    checkFolder(this.#folder)
    if (!existsSync(folder)) return []
    checkFolder(folder)
    const refs = guarded(folder, () => readdirSync(folder)).flatMap((file): KeyRef[] => {
      const [, name, version] = FILE_NAME.exec(file) ?? []
      return name === undefined ? [] : [{ scope, name, version: Number(version) }]
    })
    return refs.sort((a, b) =>
      a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1,
    )
  }

  /** From memory as long as the file is the same, and as safe, as when it was read. */
  #load(ref: KeyRef): Loaded {
    const path = this.#pathOf(ref)
    const known = this.#loaded.get(path)
    const stamp = this.#stampOf(ref)
    if (stamp === undefined) throw refuse('unknown_key', `there is no ${labelOf(ref)}`)
    if (known?.stamp === stamp) return known
    const file = readSecret(path)
    const key = decodeKey(path, file.bytes)
    file.bytes.fill(0)
    if (known) checkSuccessor(path, known, key)
    this.#claim(path, key)
    const loaded = { ...key, stamp: file.stamp }
    this.#loaded.set(path, loaded)
    return loaded
  }

  #stampOf(ref: KeyRef): Stamp | undefined {
    const folder = join(this.#folder, ref.scope)
    checkFolder(this.#folder)
    if (!existsSync(folder)) return undefined
    checkFolder(folder)
    return stampAt(this.#pathOf(ref))
  }

  /** A key has one scope, one name and one version. */
  #claim(path: string, { publicKey }: StoredKey): void {
    const id = Buffer.from(publicKey).toString('hex')
    const owner = this.#owners.get(id)
    if (owner !== undefined && owner !== path && existsSync(owner))
      throw refuse('duplicate_key', `${path} holds the key of ${owner}; remove one of them`)
    this.#owners.set(id, path)
  }

  #write(ref: KeyRef, key: StoredKey): void {
    const bytes = encodeKey(key)
    writeSecret(join(this.#folder, ref.scope), fileOf(ref), bytes)
    bytes.fill(0)
  }

  /** What a crash left half written. */
  #sweep(scope: KeyScope): void {
    const folder = join(this.#folder, scope)
    guarded(folder, () => {
      for (const file of readdirSync(folder)) if (isTemporary(file)) rmSync(join(folder, file))
    })
  }

  #pathOf(ref: KeyRef): string {
    return join(this.#folder, ref.scope, fileOf(ref))
  }
}

const fileOf = ({ name, version }: KeyRef): string => `${name}.${version}.json`
const labelOf = ({ scope, name, version }: KeyRef): string =>
  `key ${scope}/${name} version ${version}`

function checkName(name: string): void {
  if (!KEY_NAME.test(name)) throw refuse('invalid_name', `a key's name is ${KEY_NAME.source}`)
}

/** Another process may have moved the state on; nothing else about a version ever changes. */
function checkSuccessor(path: string, known: StoredKey, now: StoredKey): void {
  if (Buffer.compare(known.publicKey, now.publicKey) !== 0)
    throw refuse('corrupt', `${path} holds another key than before; restore it`)
  if (known.state === 'revoked' && now.state !== 'revoked')
    throw refuse('corrupt', `${path} was revoked and is ${now.state} now; restore it`)
}

/** A copy, with nothing private. */
function published(
  { scope, name, version }: KeyRef,
  { algorithm, publicKey, state }: StoredKey,
): PublicKey {
  return { scope, name, version, algorithm, publicKey: publicKey.slice(), state }
}
