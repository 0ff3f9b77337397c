/** What the laws of custody need of an adapter. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import type {
  Custody,
  KeyAlgorithm,
  KeyRef,
  KeyScope,
  KeyState,
  PublicKey,
} from '../../../core/ports/custody.ts'
import type { Law, Subject } from '../laws.ts'

/** A custody that serves `log` and `witness`, with keys of its own: another one in the same backend is not seen. */
export interface OpenedCustody {
  readonly custody: Custody
  /** Closes it and opens it again as a new process would. Later calls see what the last one opened. */
  reopen(): Promise<OpenedCustody>
  /** A second one on the same keys, as another process has it. `dispose` closes it. */
  another(): Promise<Custody>
  /**
   * From now on the backend does not answer {@link custody}, until what this resolves to is called: a server that takes connections and is
   * silent, or a lock that somebody else holds. What is open has deadlines of a few seconds at most.
   */
  stall(): Promise<() => Promise<void>>
  /** Closes what is open and removes the keys. */
  dispose(): Promise<void>
}

export const SCOPES: readonly KeyScope[] = ['log', 'witness']

export interface CustodySubject extends Subject {
  /** What keys it makes, the first one by default. */
  readonly algorithms: readonly KeyAlgorithm[]
  /** Without keys. */
  open(): Promise<OpenedCustody>
}

/** A law over one custody without keys. */
export function law(
  name: string,
  run: (opened: OpenedCustody, algorithms: readonly KeyAlgorithm[]) => Promise<void>,
): Law<CustodySubject> {
  return {
    name,
    async run(subject) {
      const opened = await subject.open()
      try {
        await run(opened, subject.algorithms)
      } finally {
        await opened.dispose()
      }
    },
  }
}

/** A law over keys of one algorithm each, for every algorithm that the custody makes. A key of one is named after it: {@link made}. */
export function lawOfKeys(
  name: string,
  run: (opened: OpenedCustody, algorithm: KeyAlgorithm) => Promise<void>,
): Law<CustodySubject> {
  return law(name, async (opened, algorithms) => {
    for (const algorithm of algorithms) await run(opened, algorithm)
  })
}

const PATH: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-active': [],
  active: ['active'],
  grace: ['active', 'grace'],
  retired: ['active', 'grace', 'retired'],
  revoked: ['revoked'],
}

/** A new version of a key, brought to a state. */
export async function keyIn(
  custody: Custody,
  state: KeyState,
  name = 'main',
  scope: KeyScope = 'log',
  algorithm?: KeyAlgorithm,
): Promise<PublicKey> {
  let key = await custody.create(scope, name, algorithm)
  for (const next of PATH[state]) key = await custody.transition(key, next)
  return key
}

/** A new version of the key that is named after its algorithm. */
export function made(
  custody: Custody,
  algorithm: KeyAlgorithm,
  state: KeyState = 'active',
): Promise<PublicKey> {
  return keyIn(custody, state, algorithm, 'log', algorithm)
}

export const refOf = ({ scope, name, version }: KeyRef): KeyRef => ({ scope, name, version })

export function sign(custody: Custody, key: KeyRef, message: Uint8Array): Promise<Uint8Array> {
  return custody.sign({ key: refOf(key), purpose: 'test', message })
}

/** @noble is not what the adapters sign with. */
export function verifies(
  { algorithm, publicKey }: Pick<PublicKey, 'algorithm' | 'publicKey'>,
  signature: Uint8Array,
  message: Uint8Array,
): boolean {
  if (algorithm === 'ed25519')
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  return p256.verify(signature, message, publicKey, { lowS: false })
}
