/** The key that signs the log's heads: made at first start, and never replaced behind the operator's back. */
import { sha256, toHex } from '../../core/crypto.ts'
import { CustodyError } from '../../core/error.ts'
import type { Custody, PublicKey } from '../../core/ports/custody.ts'

export interface LogKey {
  /** What signs now. */
  readonly active: PublicKey
  /** The first version: the log's default name is derived from it, and does not change with a rotation. */
  readonly first: PublicKey
}

export interface LogKeyOptions {
  /** Of a key that is made now; what the anchor has may have another. */
  readonly name: string
  /** The log has no leaf yet, so a key may be made. */
  readonly fresh: boolean
  /** Whether the anchor has this key as the one that signs now. */
  readonly trusted: (key: PublicKey) => boolean
}

/**
 * @throws CustodyError `unknown_key`: the log has leaves and its key is gone; `not_active`: it is there and may not sign
 */
export async function logKey(
  custody: Custody,
  { fresh, trusted, ...made }: LogKeyOptions,
): Promise<LogKey> {
  const all = await custody.list('log')
  const name = all.findLast(trusted)?.name ?? made.name
  const versions = all.filter((key) => key.name === name)
  const active = versions.findLast(({ state }) => state === 'active')
  if (active !== undefined) return { active, first: versions[0]! }
  const usable = versions.findLast(({ state }) => state === 'pre-active')
  if (versions.length > 0 && (usable === undefined || !fresh))
    throw new CustodyError(
      custody.name,
      'not_active',
      `no version of the log key "${name}" is active: run assay key activate log ${name}`,
    )
  if (!fresh)
    throw new CustodyError(
      custody.name,
      'unknown_key',
      `the log has leaves and its key "${name}" is not there: correct the settings of custody, or restore the keys from a backup`,
    )
  // A first start that ended between the two steps goes on here.
  const created = usable ?? (await custody.create('log', name))
  const activated = await custody.transition(created, 'active')
  return { active: activated, first: versions[0] ?? activated }
}

/** The name of a log that was given none. */
export function defaultOrigin({ publicKey }: PublicKey): string {
  return `assay.local/${toHex(sha256(publicKey)).slice(0, 16)}`
}
