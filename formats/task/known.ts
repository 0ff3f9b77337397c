/** What a reader of verifier sets remembers, and how a new set compares with it. */
import { fromBase64url } from '../../core/base64.ts'
import { sha256Hex } from '../../core/crypto.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { keyIdOf, type VerifierSet, verifierSetSchema, verifyKeyOf } from './set.ts'

/**
 * The newest set that a reader has taken, and what it may never forget: a key that was once revoked stays so, even when later sets do not
 * list it any more, or when the set that said so is several behind.
 */
export interface KnownSets {
  readonly set: VerifierSet
  /** SHA-256 of the set's bytes, hex. */
  readonly digest: string
  /** Every key that any set listed, by its name. */
  readonly published: readonly string[]
  /** Every key that any set called revoked. */
  readonly revoked: readonly string[]
}

/** Names that a reader remembers at most. Who needs more sets up a new root. */
export const MAX_REMEMBERED = 16_384

const { array, object, string } = schema
const names = array(string({ maxLength: 16, pattern: /^[0-9a-f]{16}$/ }), {
  maxItems: MAX_REMEMBERED,
})
/** Of {@link KnownSets}, for whoever keeps them. */
export const knownSetsSchema: Schema<KnownSets> = object({
  set: verifierSetSchema,
  digest: string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ }),
  published: names,
  revoked: names,
})

/** How a set's version stands to the newest known one. */
export type Newness = 'different' | 'first' | 'next' | 'older' | 'same' | 'skipped'

/** What there is to know about a set before it is taken. Lists hold names of keys. */
export interface SetDescription {
  readonly active: readonly string[]
  readonly emergency: boolean
  /** In grace, and nobody says until when. */
  readonly endless: readonly string[]
  /** Named otherwise than the key demands. */
  readonly misnamed: readonly string[]
  /** `different`: of the same version as the newest known one, and not the same. `skipped`: newer, and there were others in between. */
  readonly newness: Newness
  /** Known as revoked, and said to be something else. */
  readonly reactivated: readonly string[]
  readonly scope: string
  /** Active, and in no set before. */
  readonly unpublished: readonly string[]
  readonly version: number
  /** Anyone can sign for them, or verifiers would not agree on them. */
  readonly weak: readonly string[]
}

/** @param payload the bytes that `set` was read from; @param known undefined before the first set */
export function describeSet(
  set: VerifierSet,
  payload: Uint8Array,
  known: KnownSets | undefined,
): SetDescription {
  const named = (which: (key: VerifierSet['keys'][number]) => boolean): readonly string[] =>
    set.keys.filter(which).map((key) => key.kid)
  const published = new Set(known?.published)
  const revoked = new Set(known?.revoked)
  return {
    active: named(({ state }) => state === 'active'),
    emergency: set.emergency ?? false,
    endless: named(({ grace_until, state }) => state === 'grace' && grace_until === undefined),
    misnamed: named(({ kid: name, x }) => keyIdOf(fromBase64url(x) ?? new Uint8Array()) !== name),
    newness: newnessOf(set, payload, known),
    reactivated: named(({ kid: name, state }) => revoked.has(name) && state !== 'revoked'),
    scope: set.scope,
    unpublished: named(({ kid: name, state }) => state === 'active' && !published.has(name)),
    version: set.version,
    weak: named(({ x }) => verifyKeyOf(x) === undefined),
  }
}

function newnessOf(set: VerifierSet, payload: Uint8Array, known: KnownSets | undefined): Newness {
  if (known === undefined) return 'first'
  const { version } = known.set
  if (set.version < version) return 'older'
  if (set.version > version) return set.version === version + 1 ? 'next' : 'skipped'
  return sha256Hex(payload) === known.digest ? 'same' : 'different'
}

/** What a reader knows once it has taken `set`. @param digest SHA-256 of its bytes, hex; @throws RangeError beyond {@link MAX_REMEMBERED} */
export function remember(
  set: VerifierSet,
  digest: string,
  known: KnownSets | undefined,
): KnownSets {
  const listed = set.keys.map(({ kid: name }) => name)
  const revoked = set.keys.filter(({ state }) => state === 'revoked').map((key) => key.kid)
  const published = union(known?.published, listed)
  if (published.length > MAX_REMEMBERED) throw new RangeError('too many keys to remember')
  return {
    set,
    digest,
    published,
    revoked: union(known?.revoked, revoked),
  }
}

const union = (known: readonly string[] = [], added: readonly string[]): readonly string[] =>
  [...new Set([...known, ...added])].sort()
