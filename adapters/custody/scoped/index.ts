/** Several custodies as one: each key scope is served by exactly one of them. */
import { CustodyError } from '../../../core/error.ts'
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

const NAME = 'custody/scoped'

export interface ScopedPart {
  readonly scopes: readonly KeyScope[]
  /** Serves at least these scopes; what else it serves nobody sees. */
  readonly custody: Custody
}

/**
 * The custody that asks, for each scope, the part that serves it. Errors are the part's own and bear its name. `algorithms` and
 * `maxMessageBytes` are what every part can do; what one can do besides it does when it is asked. Closes its parts.
 *
 * @throws CustodyError `misconfigured`: two parts serve a scope, or one does not serve what is asked of it
 */
export function openScopedCustody(parts: readonly ScopedPart[]): Custody {
  return new ScopedCustody(parts)
}

class ScopedCustody implements Custody {
  readonly name: string = NAME
  readonly scopes: readonly KeyScope[]
  readonly algorithms: readonly KeyAlgorithm[]
  readonly maxMessageBytes: number
  readonly #parts: ReadonlyMap<KeyScope, Custody>
  #closed = false

  constructor(parts: readonly ScopedPart[]) {
    this.#parts = byScope(parts)
    this.scopes = Object.freeze([...this.#parts.keys()])
    const custodies = parts.map(({ custody }) => custody)
    const ofFirst = custodies[0]?.algorithms ?? KEY_ALGORITHMS
    this.algorithms = Object.freeze(
      ofFirst.filter((one) => custodies.every(({ algorithms }) => algorithms.includes(one))),
    )
    this.maxMessageBytes = Math.min(...custodies.map((custody) => custody.maxMessageBytes))
  }

  async list(scope: KeyScope): Promise<readonly PublicKey[]> {
    return this.#serving(scope).list(scope)
  }

  async create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey> {
    return this.#serving(scope).create(scope, name, algorithm)
  }

  async transition(key: KeyRef, state: KeyState): Promise<PublicKey> {
    return this.#serving(key.scope).transition(key, state)
  }

  async sign(request: SigningRequest): Promise<Uint8Array> {
    return this.#serving(request.key.scope).sign(request)
  }

  /** Every part, also when one does not close; throws the first such error. */
  async close(): Promise<void> {
    this.#closed = true
    const closed = await Promise.allSettled(
      [...new Set(this.#parts.values())].map((custody) => custody.close()),
    )
    for (const one of closed) if (one.status === 'rejected') throw one.reason
  }

  #serving(scope: KeyScope): Custody {
    if (this.#closed) throw refuse('closed', 'the custody was closed; open it again')
    const custody = this.#parts.get(scope)
    if (custody !== undefined) return custody
    throw refuse('scope_mismatch', `no custody serves the scope ${String(scope)}; add it to one`)
  }
}

function byScope(parts: readonly ScopedPart[]): ReadonlyMap<KeyScope, Custody> {
  const found = new Map<KeyScope, Custody>()
  for (const { custody, scopes } of parts)
    for (const scope of scopes) {
      if (found.has(scope))
        throw refuse('misconfigured', `two custodies serve the scope ${scope}; leave it to one`)
      if (!custody.scopes.includes(scope))
        throw refuse('misconfigured', `${custody.name} does not serve the scope ${scope}`)
      found.set(scope, custody)
    }
  return found
}

function refuse(code: 'closed' | 'misconfigured' | 'scope_mismatch', what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}
