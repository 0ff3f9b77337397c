/**
 * The facts about the key that an effect is to sign with, the same for every plugin that signs. A plugin names `signer` among its `reads`,
 * reports {@link signingKeyFacts} under a field of its own, and its Rego asks `data.assay.lib.signing` whether that key may sign this.
 */
import type { Json } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'

/** The plugin that keeps the records of managed keys. */
export const SIGNER = 'signer'

/** Where it keeps one. */
export const managedKey = (scope: string, name: string): string => `key/${scope}/${name}`

export const MANAGED_STATES = ['pre-active', 'active', 'grace', 'retired', 'revoked'] as const
export type ManagedState = (typeof MANAGED_STATES)[number]

/** A version as verifiers know it. */
export interface SigningVersion {
  /** Unix seconds; 0: none. */
  readonly grace_until: number
  readonly kid: string
  /** base64url */
  readonly public_key: string
  readonly state: ManagedState
  readonly version: number
}

export interface SigningKey {
  /** Of the version that may sign; empty and 0 where there is none, or where nobody manages the key. */
  readonly kid: string
  /** False: only custody knows its state. */
  readonly managed: boolean
  readonly name: string
  readonly public_key: string
  readonly scope: string
  readonly version: number
}

const text = schema.string({ maxLength: 128 })
export const signingKeySchema: Schema<SigningKey> = schema.object({
  kid: text,
  managed: schema.boolean(),
  name: text,
  public_key: text,
  scope: text,
  version: schema.integer({ min: 0 }),
})

/**
 * What the signer's record says about one key. Read guarded, so that a revocation which lands before the commit wins.
 *
 * @param read `getFrom` of the plugin's reads, for the partition {@link SIGNER}
 */
export async function signingKeyFacts(
  read: (plugin: string, sort: string) => Promise<Json | undefined>,
  scope: string,
  name: string,
): Promise<SigningKey> {
  const record = await read(SIGNER, managedKey(scope, name))
  const versions = versionsOf(record)
  const active = versions.findLast(({ state }) => state === 'active')
  return {
    kid: active?.kid ?? '',
    managed: record !== undefined,
    name,
    public_key: active?.public_key ?? '',
    scope,
    version: active?.version ?? 0,
  }
}

/** Every version of a managed key, the oldest first. */
export function versionsOf(record: Json | undefined): readonly SigningVersion[] {
  return (record as { readonly versions: readonly SigningVersion[] } | undefined)?.versions ?? []
}
