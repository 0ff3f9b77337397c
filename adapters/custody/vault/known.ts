/** What this process knows of keys: their states for a moment, their public keys for good. */
import { ed25519Key, p256Key, sameBytes, verifyEd25519, verifyP256 } from '../../../core/crypto.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type {
  KeyAlgorithm,
  KeyRef,
  KeyScope,
  KeyState,
  PublicKey,
} from '../../../core/ports/custody.ts'
import type { Deadline } from './deadline.ts'
import { refuse } from './failure.ts'
import type { Kept, Records } from './records.ts'
import type { Session } from './session.ts'
import type { Transit, TransitKey } from './transit.ts'

/** How old a state may be that somebody else changed. What this process changes counts at once. */
export const STATES_AGE_MS = 2000

const GONE: ReadonlySet<KeyState> = new Set(['retired', 'revoked'])

interface Listed {
  readonly at: number
  readonly keys: readonly PublicKey[]
}
interface Running {
  readonly changes: number
  readonly keys: Promise<readonly PublicKey[]>
}

export class KnownKeys {
  readonly #records: Records
  readonly #transit: Transit
  readonly #clock: Clock
  readonly #session: Session
  readonly #listed = new Map<KeyScope, Listed>()
  readonly #running = new Map<KeyScope, Running>()
  /** A listing that began before this process changed a state must not be kept. */
  #changes = 0
  /**
   * Public keys that Vault itself showed, by key, algorithm and version; undefined for one that it does not show any more. What somebody writes
   * into a record is not believed.
   */
  readonly #shown = new Map<string, Uint8Array | undefined>()
  readonly #verifiers = new Map<string, (message: Uint8Array, signature: Uint8Array) => boolean>()

  constructor(session: Session, records: Records, transit: Transit, clock: Clock) {
    this.#session = session
    this.#records = records
    this.#transit = transit
    this.#clock = clock
  }

  /** Called after this process changed a state, or may have. */
  changed(): void {
    this.#changes++
    this.#listed.clear()
  }

  /** By name and version. */
  async list(scope: KeyScope, deadline: Deadline): Promise<readonly PublicKey[]> {
    return this.#young(scope) ?? this.#refresh(scope, deadline)
  }

  /** One version; unless it was active a moment ago, in the state that it is in now. */
  async find(ref: KeyRef, deadline: Deadline): Promise<PublicKey | undefined> {
    const known = which(this.#young(ref.scope) ?? [], ref)
    return known?.state === 'active' ? known : which(await this.#refresh(ref.scope, deadline), ref)
  }

  #young(scope: KeyScope): readonly PublicKey[] | undefined {
    const listed = this.#listed.get(scope)
    return listed && this.#clock.monotonic() - listed.at < STATES_AGE_MS ? listed.keys : undefined
  }

  /** One listing for everybody who asks for it while it runs. */
  async #refresh(scope: KeyScope, deadline: Deadline): Promise<readonly PublicKey[]> {
    const running = this.#running.get(scope)
    if (running?.changes === this.#changes) return deadline.of(running.keys)
    const began = { at: this.#clock.monotonic(), changes: this.#changes }
    const keys = this.#read(scope, this.#session.deadline())
      .then((found) => {
        if (began.changes === this.#changes) this.#listed.set(scope, { at: began.at, keys: found })
        return found
      })
      .finally(() => {
        if (this.#running.get(scope)?.keys === keys) this.#running.delete(scope)
      })
    this.#running.set(scope, { changes: began.changes, keys })
    return deadline.of(keys)
  }

  async #read(scope: KeyScope, deadline: Deadline): Promise<readonly PublicKey[]> {
    const names = [...(await this.#records.names(scope, deadline))].sort()
    const keys = await Promise.all(names.map((name) => this.#versions(scope, name, deadline)))
    return keys.flat()
  }

  async #versions(scope: KeyScope, name: string, deadline: Deadline): Promise<PublicKey[]> {
    const kept = await this.#records.read(scope, name, deadline)
    if (kept === undefined) return []
    await this.#compare(scope, name, kept, deadline)
    const { algorithm } = kept
    return kept.versions.map(({ publicKey, state }, i) => ({
      ...{ scope, name, version: i + 1, algorithm },
      ...{ publicKey, state },
    }))
  }

  /** @throws CustodyError `corrupt`: the record holds another public key than Vault; `misconfigured`: a key of another type */
  async #compare(scope: KeyScope, name: string, kept: Kept, deadline: Deadline): Promise<void> {
    const key = `${this.#transit.nameOf(scope, name)}/${kept.algorithm}`
    if (kept.versions.some(({ state }, i) => this.#isNew(`${key}/${i + 1}`, state)))
      await this.#look(scope, name, kept, deadline)
    for (const [i, { publicKey }] of kept.versions.entries()) {
      const shown = this.#shown.get(`${key}/${i + 1}`)
      if (shown && !sameBytes(shown, publicKey))
        throw refuse('corrupt', `the record of ${scope}/${name} has another key; restore it`)
    }
  }

  /** Whether Vault has to be asked about a version. Those below its minimum it does not show, and they are not looked for each time. */
  #isNew(id: string, state: KeyState): boolean {
    const shown = this.#shown.get(id)
    return shown === undefined && !(this.#shown.has(id) && GONE.has(state))
  }

  async #look(scope: KeyScope, name: string, kept: Kept, deadline: Deadline): Promise<void> {
    const key = await this.#transit.read(scope, name, deadline)
    checkKey(scope, name, kept, key)
    for (const i of kept.versions.keys()) {
      const id = `${this.#transit.nameOf(scope, name)}/${kept.algorithm}/${i + 1}`
      this.#shown.set(id, this.#shown.get(id) ?? key.publicKeys.get(i + 1))
    }
  }

  /** @throws LogError `weak_key` */
  verifies(
    { algorithm, publicKey, ...ref }: PublicKey,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    const id = `${this.#transit.nameOf(ref.scope, ref.name)}/${ref.version}`
    const verify = this.#verifiers.get(id) ?? verifierOf(algorithm, publicKey)
    this.#verifiers.set(id, verify)
    return verify(message, signature)
  }
}

function which(keys: readonly PublicKey[], { name, version }: KeyRef): PublicKey | undefined {
  return keys.find((key) => key.name === name && key.version === version)
}

/** @throws CustodyError */
export function checkKey(
  scope: KeyScope,
  name: string,
  kept: Kept,
  key: TransitKey | undefined,
): asserts key is TransitKey {
  if (key === undefined)
    throw refuse('misconfigured', `${scope}/${name} has a record and no key; correct mount`)
  if (key.algorithm !== kept.algorithm || key.latest < kept.versions.length)
    throw refuse(
      'misconfigured',
      `${scope}/${name} is ${key.algorithm} version ${key.latest} in mount, and ${kept.algorithm} version ${kept.versions.length} in kvMount; correct mount, kvMount or prefix`,
    )
}

function verifierOf(
  algorithm: KeyAlgorithm,
  publicKey: Uint8Array,
): (message: Uint8Array, signature: Uint8Array) => boolean {
  if (algorithm === 'ed25519') {
    const key = ed25519Key(publicKey)
    return (message, signature) => verifyEd25519(key, message, signature)
  }
  const key = p256Key(publicKey)
  return (message, signature) => verifyP256(key, message, signature)
}
