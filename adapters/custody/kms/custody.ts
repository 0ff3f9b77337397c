/** The KMS custody itself: what versions of keys there are, what state each is in, and signing with one of them. */
import { checkKeyName, checkKeyRef, checkServed } from '../../../core/keyref.ts'
import type { Clock } from '../../../core/ports/clock.ts'
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
import { stateOf, type Version, versionAlias } from './aliases.ts'
import { type Ask, type Calls, closed, type Deadline, present } from './calls.ts'
import { CallFailed, NAME, refuse } from './failure.ts'
import {
  checkedSignature,
  createKey,
  type KnownKey,
  loadKey,
  nameKey,
  newKey,
  published,
  SPECS,
} from './keys.ts'
import { Listing } from './listing.ts'
import { type Changing, labelOf, makeAlias, move } from './move.ts'

export interface KmsCustodyParts {
  readonly calls: Calls
  readonly clock: Clock
  readonly prefix: string
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[]
  readonly maxAgeMs: number
}

/** How many keys are looked at at once, where many are new. */
const AT_ONCE = 8
/** How often somebody else may be first with the next version. */
const TRIES = 32

export class KmsCustody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[]
  /** What KMS takes of a whole message. */
  readonly maxMessageBytes = 4096
  readonly #calls: Calls
  readonly #prefix: string
  readonly #listing: Listing
  /** By version: nothing of a key ever changes, but for its state. */
  readonly #known = new Map<string, KnownKey>()

  constructor({ algorithms, calls, clock, maxAgeMs, prefix, scopes }: KmsCustodyParts) {
    this.scopes = Object.freeze([...scopes])
    this.algorithms = Object.freeze([...algorithms])
    this.#calls = calls
    this.#prefix = prefix
    this.#listing = new Listing(calls, clock, prefix, maxAgeMs)
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    this.#assertServes(scope)
    const deadline = this.#calls.deadline()
    const versions = (await this.#listing.versions()).filter((one) => one.scope === scope)
    const listed: PublicKey[] = []
    for (let at = 0; at < versions.length; at += AT_ONCE) {
      const some = versions.slice(at, at + AT_ONCE)
      const known = await Promise.all(some.map((version) => this.#load(version, deadline)))
      listed.push(...known.map((key, i) => published(key, stateOf(some[i] as Version))))
    }
    return listed
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    this.#assertServes(scope)
    checkKeyName(NAME, name)
    const deadline = this.#calls.deadline()
    let made: KnownKey | undefined
    let last = 0
    for (let tried = 0; tried < TRIES; tried += 1) {
      this.#listing.forget()
      const versions = await this.#versionsOf(scope, name)
      const kind = await this.#algorithmFor(versions, algorithm, deadline)
      last = Math.max(last, ...versions.map(({ version }) => version)) + 1
      const ref = { scope, name, version: last }
      made = made ? { ...made, ...ref } : await this.#make(ref, kind, deadline)
      await nameKey(this.#calls, deadline, made)
      const alias = { name: versionAlias(this.#prefix, ref), keyId: made.keyId }
      if (await makeAlias(this.#changing(deadline), alias)) {
        this.#known.set(idOf(made), made)
        this.#listing.forget()
        return published(made, 'pre-active')
      }
    }
    throw refuse('unavailable', `others made versions of ${scope}/${name} all the time; try again`)
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    this.#assertKnown(key)
    const deadline = this.#calls.deadline()
    const { keyId } = await this.#find(key)
    const known = await this.#load({ ...key, keyId }, deadline)
    const [version] = await this.#listing.ofKey(keyId, deadline)
    if (version === undefined || idOf(version) !== idOf(key))
      throw refuse('corrupt', `the alias of ${labelOf(key)} leads elsewhere now; restore it`)
    const from = stateOf(version)
    if (!KEY_TRANSITIONS[from].includes(state))
      throw refuse('invalid_transition', `${labelOf(key)} is ${from} and cannot be ${state}`)
    await move(this.#changing(deadline), version, state)
    return published(known, state)
  }

  async sign({ key, message }: SigningRequest): Promise<Uint8Array> {
    this.#assertKnown(key)
    if (message.length < 1 || message.length > this.maxMessageBytes)
      throw refuse(
        'too_large',
        `KMS signs messages of 1 to ${this.maxMessageBytes} bytes; nothing is hashed here instead`,
      )
    const whole = message.slice()
    const deadline = this.#calls.deadline()
    const version = await this.#find(key)
    checkSigns(version)
    const known = await this.#load(version, deadline)
    try {
      return checkedSignature(known, whole, await this.#sign(known, whole, deadline))
    } catch (error) {
      if (!(error instanceof CallFailed) || error.failure.kind !== 'disabled') throw error
      // Somebody else retired it a moment ago, or disabled it behind Assay's back.
      this.#listing.forget()
      checkSigns(await this.#find(key))
      throw error
    }
  }

  async close(): Promise<void> {
    this.#calls.close()
    this.#known.clear()
  }

  #changing(deadline: Deadline): Changing {
    return { calls: this.#calls, listing: this.#listing, prefix: this.#prefix, deadline }
  }

  #sign(
    { algorithm, keyId }: KnownKey,
    Message: Uint8Array,
    deadline: Deadline,
  ): Promise<Uint8Array> {
    const { SignCommand } = this.#calls.sdk
    const SigningAlgorithm = SPECS[algorithm].signing
    const input = { KeyId: keyId, Message, MessageType: 'RAW', SigningAlgorithm } as const
    const ask: Ask<Uint8Array> = async (client, options) =>
      present((await client.send(new SignCommand(input), options)).Signature)
    return this.#calls.call('Sign', deadline, ask)
  }

  async #make(ref: KeyRef, algorithm: KeyAlgorithm, deadline: Deadline): Promise<KnownKey> {
    const keyId = await createKey(this.#calls, deadline, this.#prefix, ref, algorithm)
    return newKey(this.#calls, deadline, { ...ref, keyId }, algorithm)
  }

  /** That of the key's first version, for its life. */
  async #algorithmFor(
    [first]: readonly Version[],
    asked: KeyAlgorithm | undefined,
    deadline: Deadline,
  ): Promise<KeyAlgorithm> {
    const own = first && (await this.#load(first, deadline)).algorithm
    const algorithm = asked ?? own ?? (this.algorithms[0] as KeyAlgorithm)
    if (!this.algorithms.includes(algorithm))
      throw refuse(
        'algorithm_mismatch',
        `${algorithm} is not among custody.algorithms: ${this.algorithms.join(', ')}`,
      )
    if (own !== undefined && own !== algorithm)
      throw refuse(
        'algorithm_mismatch',
        `the key is ${own} for life; give another one another name`,
      )
    return algorithm
  }

  async #versionsOf(scope: KeyScope, name: string): Promise<readonly Version[]> {
    return (await this.#listing.versions()).filter(
      (one) => one.scope === scope && one.name === name,
    )
  }

  async #find(key: KeyRef): Promise<Version> {
    const find = async (): Promise<Version | undefined> =>
      (await this.#listing.versions()).find((one) => idOf(one) === idOf(key))
    const known = await find()
    if (known !== undefined) return known
    // Somebody else may have made it a moment ago.
    this.#listing.forget()
    const found = await find()
    if (found === undefined) throw refuse('unknown_key', `there is no ${labelOf(key)}`)
    return found
  }

  async #load(version: KeyRef & { readonly keyId: string }, deadline: Deadline): Promise<KnownKey> {
    const id = idOf(version)
    const known = this.#known.get(id)
    if (known === undefined) {
      const loaded = await loadKey(this.#calls, deadline, this.#prefix, version)
      if (this.#calls.closed) throw closed()
      this.#known.set(id, loaded)
      return loaded
    }
    if (known.keyId !== version.keyId)
      throw refuse('corrupt', `the alias of ${labelOf(version)} leads elsewhere now; restore it`)
    return known
  }

  #assertServes(scope: KeyScope): void {
    if (this.#calls.closed) throw closed()
    checkServed(NAME, this.scopes, scope)
  }

  /** Names become aliases: nothing else may get there. */
  #assertKnown(key: KeyRef): void {
    this.#assertServes(key.scope)
    checkKeyRef(NAME, key)
  }
}

const idOf = ({ name, scope, version }: KeyRef): string => `${scope}/${name}/${version}`

function checkSigns(version: Version): void {
  const state = stateOf(version)
  if (state === 'pre-active')
    throw refuse('not_active', `${labelOf(version)} is pre-active; activate it first`)
  if (state !== 'active')
    throw refuse('retired', `${labelOf(version)} is ${state}; sign with the active version`)
}
