/**
 * Making versions and moving them, in a transit key and a record beside it that cannot change together. README.md says what a crash between
 * two steps leaves: never a version that signs and should not.
 */
import type {
  KeyAlgorithm,
  KeyRef,
  KeyScope,
  KeyState,
  PublicKey,
} from '../../../core/ports/custody.ts'
import { KEY_TRANSITIONS } from '../../../core/ports/custody.ts'
import type { Deadline } from './deadline.ts'
import { isUnavailable, refuse } from './failure.ts'
import { checkKey } from './known.ts'
import type { Kept, KeyRecord, Recorded, Records } from './records.ts'
import { limitsOf } from './states.ts'
import type { Transit, TransitKey } from './transit.ts'

export const labelOf = ({ name, scope, version }: KeyRef): string =>
  `key ${scope}/${name} version ${version}`

export class Changes {
  readonly #records: Records
  readonly #transit: Transit

  constructor(records: Records, transit: Transit) {
    this.#records = records
    this.#transit = transit
  }

  /** The key first, then the record: a version that no record names does not exist yet, and the next one who makes a version takes it. */
  async create(
    scope: KeyScope,
    name: string,
    wanted: KeyAlgorithm | undefined,
    deadline: Deadline,
  ): Promise<PublicKey> {
    for (let tried = 0; ; tried++) {
      const kept = await this.#records.read(scope, name, deadline)
      const algorithm = kept?.algorithm ?? wanted ?? 'ed25519'
      if (wanted !== undefined && wanted !== algorithm) throw mismatch(scope, name, algorithm)
      const version = 1 + (kept?.versions.length ?? 0)
      const publicKey = await this.#spare(scope, name, { algorithm, kept, version }, deadline)
      const recorded: Recorded = { publicKey, state: 'pre-active' }
      const record = { algorithm, versions: [...(kept?.versions ?? []), recorded] }
      if (await this.#records.replace(scope, name, record, kept?.revision ?? 0, deadline))
        return { scope, name, version, algorithm, ...recorded }
      await deadline.backOff(Math.min(tried, 3))
    }
  }

  /** The public key of a version that no record has: one that is there already, or a new one. */
  async #spare(
    scope: KeyScope,
    name: string,
    next: {
      readonly algorithm: KeyAlgorithm
      readonly kept: Kept | undefined
      readonly version: number
    },
    deadline: Deadline,
  ): Promise<Uint8Array> {
    const key = await this.#withVersion(scope, name, next, deadline)
    if (key.algorithm !== next.algorithm) throw mismatch(scope, name, key.algorithm)
    // Whoever makes the first version records it before there is a second one.
    if (next.kept === undefined && key.latest > 1)
      throw refuse('corrupt', `the record of ${scope}/${name} is gone; restore it`)
    const publicKey = key.publicKeys.get(next.version)
    if (publicKey === undefined)
      throw refuse('corrupt', `${scope}/${name} hides version ${next.version}; see README.md`)
    return publicKey
  }

  async #withVersion(
    scope: KeyScope,
    name: string,
    next: { readonly algorithm: KeyAlgorithm; readonly version: number },
    deadline: Deadline,
  ): Promise<TransitKey> {
    const key = await this.#transit.read(scope, name, deadline)
    if (key !== undefined && key.latest >= next.version) return key
    if (key === undefined) await this.#transit.create(scope, name, next.algorithm, deadline)
    else await this.#rotate(scope, name, deadline)
    const made = await this.#transit.read(scope, name, deadline)
    if (made !== undefined && made.latest >= next.version) return made
    // Without a record nothing was done that anybody sees.
    throw refuse('unavailable', `${scope}/${name} has no version ${next.version} yet; try again`)
  }

  /** Without an answer, the key tells whether it was done; a version too many is in reserve for the next who makes one. */
  async #rotate(scope: KeyScope, name: string, deadline: Deadline): Promise<void> {
    await this.#transit.rotate(scope, name, deadline).catch((error: unknown) => {
      if (!isUnavailable(error)) throw error
    })
  }

  /** Vault's limits first, then the record, which has the last word on what may sign. */
  async transition(ref: KeyRef, state: KeyState, deadline: Deadline): Promise<PublicKey> {
    const { name, scope } = ref
    for (let tried = 0; ; tried++) {
      const kept = await this.#records.read(scope, name, deadline)
      const old = kept?.versions[ref.version - 1]
      if (kept === undefined || old === undefined)
        throw refuse('unknown_key', `there is no ${labelOf(ref)}`)
      if (!KEY_TRANSITIONS[old.state].includes(state)) {
        // Somebody else moved it in between, perhaps before this one set limits for what is no longer so.
        if (tried > 0) await this.#settle(scope, name, kept, deadline)
        throw refuse('invalid_transition', `${labelOf(ref)} is ${old.state} and cannot be ${state}`)
      }
      const moved = { ...old, state }
      const record = { ...kept, versions: kept.versions.with(ref.version - 1, moved) }
      await this.#limit(scope, name, kept, record, deadline)
      if (await this.#records.replace(scope, name, record, kept.revision, deadline))
        return { ...ref, algorithm: kept.algorithm, ...moved }
      await deadline.backOff(Math.min(tried, 3))
    }
  }

  /** Until the record is the same before and after: then the limits are its own. */
  async #settle(scope: KeyScope, name: string, kept: Kept, deadline: Deadline): Promise<void> {
    for (let known = kept; ; ) {
      await this.#limit(scope, name, known, known, deadline)
      const now = await this.#records.read(scope, name, deadline)
      if (now === undefined || now.revision === known.revision) return
      known = now
    }
  }

  async #limit(
    scope: KeyScope,
    name: string,
    kept: Kept,
    record: KeyRecord,
    deadline: Deadline,
  ): Promise<void> {
    const limits = limitsOf(record.versions.map(({ state }) => state))
    const key = await this.#transit.read(scope, name, deadline)
    checkKey(scope, name, kept, key)
    if (key.limits.signing === limits.signing && key.limits.verifying === limits.verifying) return
    if (key.latest < limits.signing)
      await this.#withVersion(scope, name, { ...kept, version: limits.signing }, deadline)
    await this.#transit.limit(scope, name, limits, deadline)
  }
}

function mismatch(scope: KeyScope, name: string, algorithm: KeyAlgorithm): Error {
  return refuse(
    'algorithm_mismatch',
    `${scope}/${name} is ${algorithm} for life; take another name`,
  )
}
