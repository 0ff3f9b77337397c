/** What the laws of custody need of an adapter. */
import type { Custody, KeyRef, KeyScope, KeyState } from '../../../core/ports/custody.ts'
import type { Law, Subject } from '../laws.ts'

/** A custody that serves `log` and `witness`, with keys of its own. */
export interface OpenedCustody {
  readonly custody: Custody
  /** Closes it and opens it again as a new process would. Later calls see what the last one opened. */
  reopen(): Promise<OpenedCustody>
  /** Closes what is open and removes the keys. */
  dispose(): Promise<void>
}

export const SCOPES: readonly KeyScope[] = ['log', 'witness']

export interface CustodySubject extends Subject {
  /** Without keys. */
  open(): Promise<OpenedCustody>
}

/** A law over one custody without keys. */
export function law(
  name: string,
  run: (opened: OpenedCustody) => Promise<void>,
): Law<CustodySubject> {
  return {
    name,
    async run(subject) {
      const opened = await subject.open()
      try {
        await run(opened)
      } finally {
        await opened.dispose()
      }
    },
  }
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
): Promise<KeyRef & { publicKey: Uint8Array }> {
  const key = await custody.create(scope, name)
  for (const next of PATH[state]) await custody.transition(key, next)
  return key
}

export function sign(custody: Custody, key: KeyRef, message: Uint8Array): Promise<Uint8Array> {
  return custody.sign({ key, purpose: 'test', message })
}
