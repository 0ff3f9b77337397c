/** The keys of the newest verifier set, imported once. */
import type { NamedKey } from '../formats/dsse/index.ts'
import { type KnownSets, type VerifierKey, verifyKeyOf } from '../formats/task/index.ts'

export interface RingKey extends NamedKey {
  readonly entry: VerifierKey
}
export interface KeyRing {
  readonly keys: readonly RingKey[]
  /** Names of all keys that were ever called revoked. */
  readonly revoked: ReadonlySet<string>
}

/** Nothing verifies before the first set. */
export function ringOf(known: KnownSets | undefined): KeyRing {
  return {
    keys: (known?.set.keys ?? []).flatMap((entry) => {
      const key = verifyKeyOf(entry.x)
      return key === undefined ? [] : [{ entry, key, kid: entry.kid }]
    }),
    revoked: new Set(known?.revoked),
  }
}
