/** KMS keys as Assay knows them: which version each was made as, of what kind it is, and its public key. None of that ever changes. */
import type {
  KeyMetadata,
  ListResourceTagsResponse,
  SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import {
  ed25519Key,
  fromBase64url,
  type P256Key,
  p256FromSpki,
  p256Key,
  sameBytes,
  signatureFromDer,
  toBase64url,
  type VerifyKey,
  verifyEd25519,
  verifyP256,
} from '../../../core/crypto.ts'
import type { KeyAlgorithm, KeyRef, PublicKey } from '../../../core/ports/custody.ts'
import { type Ask, type Calls, type Deadline, type Manner, present } from './calls.ts'
import { refuse } from './failure.ts'

/** What KMS calls each kind of key, and its signatures over whole messages. */
export const SPECS: Readonly<
  Record<
    KeyAlgorithm,
    {
      readonly spec: 'ECC_NIST_EDWARDS25519' | 'ECC_NIST_P256'
      readonly signing: SigningAlgorithmSpec
    }
  >
> = {
  'ecdsa-p256': { spec: 'ECC_NIST_P256', signing: 'ECDSA_SHA_256' },
  ed25519: { spec: 'ECC_NIST_EDWARDS25519', signing: 'ED25519_SHA_512' },
}

export interface KnownKey extends KeyRef {
  readonly keyId: string
  readonly algorithm: KeyAlgorithm
  readonly key: P256Key | VerifyKey
}

const FRESH: Manner = { fresh: true }
const VERSION_TAG = 'assay:version'
/** In case that KMS does not tell it of a disabled key: verifiers need it for as long as there is a signature. */
const PUBLIC_KEY_TAG = 'assay:public-key'

/** A new key of KMS, that is no version yet. */
export async function createKey(
  calls: Calls,
  deadline: Deadline,
  prefix: string,
  { name, scope }: Pick<KeyRef, 'name' | 'scope'>,
  algorithm: KeyAlgorithm,
): Promise<string> {
  const { CreateKeyCommand } = calls.sdk
  const input = {
    KeySpec: SPECS[algorithm].spec,
    KeyUsage: 'SIGN_VERIFY',
    Description: `Assay: ${prefix}/${scope}/${name}`,
    Tags: Object.entries(ownTags(prefix, { name, scope })).map(([TagKey, TagValue]) => ({
      TagKey,
      TagValue,
    })),
  } as const
  const ask: Ask<string> = async (client, options) => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand(input), options)
    return present(KeyMetadata?.KeyId)
  }
  return calls.call('CreateKey', deadline, ask, { repeatable: false })
}

/** Writes on a key which version it is to be, before an alias makes it that. */
export async function nameKey(
  calls: Calls,
  deadline: Deadline,
  { algorithm, key, keyId, version }: KnownKey,
): Promise<void> {
  const { TagResourceCommand } = calls.sdk
  const Tags = [
    { TagKey: VERSION_TAG, TagValue: String(version) },
    { TagKey: PUBLIC_KEY_TAG, TagValue: `${algorithm}:${toBase64url(key.publicKey)}` },
  ]
  const ask: Ask<unknown> = (client, options) =>
    client.send(new TagResourceCommand({ KeyId: keyId, Tags }), options)
  await calls.call('TagResource', deadline, ask, FRESH)
}

/** The key behind a version. @throws CustodyError `corrupt`: it was made as another one; `misconfigured`: it is of another kind */
export async function loadKey(
  calls: Calls,
  deadline: Deadline,
  prefix: string,
  version: KeyRef & { readonly keyId: string },
): Promise<KnownKey> {
  const { keyId, name, scope } = version
  const [metadata, tags] = await Promise.all([
    describe(calls, deadline, keyId),
    tagsOf(calls, deadline, keyId),
  ])
  const algorithm = algorithmOf(metadata, calls.place.region)
  const expected = { ...ownTags(prefix, version), [VERSION_TAG]: String(version.version) }
  for (const [tag, value] of Object.entries(expected))
    if (tags.get(tag) !== value)
      throw refuse(
        'corrupt',
        `KMS key ${keyId} is not tagged ${tag}=${value}, as the alias of ${scope}/${name} version ${version.version} has it; restore the alias`,
      )
  const written = readPublicKey(tags.get(PUBLIC_KEY_TAG), algorithm)
  const told =
    metadata.KeyState === 'Enabled'
      ? await publicKeyOf(calls, deadline, keyId, algorithm)
      : undefined
  if (written === undefined || (told !== undefined && !sameBytes(written, told)))
    throw refuse('corrupt', `the tag ${PUBLIC_KEY_TAG} of KMS key ${keyId} is wrong; restore it`)
  const { version: number } = version
  return { scope, name, version: number, keyId, algorithm, key: importKey(algorithm, written) }
}

/** What KMS says of a key that was just made. */
export async function newKey(
  calls: Calls,
  deadline: Deadline,
  key: KeyRef & { readonly keyId: string },
  algorithm: KeyAlgorithm,
): Promise<KnownKey> {
  const bytes = await publicKeyOf(calls, deadline, key.keyId, algorithm, FRESH)
  return { ...key, algorithm, key: importKey(algorithm, bytes) }
}

function describe(calls: Calls, deadline: Deadline, KeyId: string): Promise<KeyMetadata> {
  const { DescribeKeyCommand } = calls.sdk
  return calls.call('DescribeKey', deadline, async (client, options) => {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }), options)
    present(KeyMetadata?.KeyState)
    return present(KeyMetadata)
  })
}

async function tagsOf(
  calls: Calls,
  deadline: Deadline,
  KeyId: string,
): Promise<ReadonlyMap<string, string>> {
  const { ListResourceTagsCommand } = calls.sdk
  const found = new Map<string, string>()
  let Marker: string | undefined
  do {
    const input = { KeyId, ...(Marker === undefined ? {} : { Marker }) }
    const ask: Ask<ListResourceTagsResponse> = async (client, options) => {
      const answer = await client.send(new ListResourceTagsCommand(input), options)
      present(answer.Tags)
      return answer
    }
    const { NextMarker, Tags = [] } = await calls.call('ListResourceTags', deadline, ask)
    for (const { TagKey = '', TagValue = '' } of Tags) found.set(TagKey, TagValue)
    Marker = NextMarker
  } while (Marker !== undefined)
  return found
}

async function publicKeyOf(
  calls: Calls,
  deadline: Deadline,
  KeyId: string,
  algorithm: KeyAlgorithm,
  manner: Manner = {},
): Promise<Uint8Array> {
  const { GetPublicKeyCommand } = calls.sdk
  const ask: Ask<Uint8Array> = async (client, options) =>
    present((await client.send(new GetPublicKeyCommand({ KeyId }), options)).PublicKey)
  const spki = await calls.call('GetPublicKey', deadline, ask, manner)
  const bytes = algorithm === 'ecdsa-p256' ? p256FromSpki(spki) : ed25519FromSpki(spki)
  if (bytes !== undefined) return bytes
  throw refuse(
    'misconfigured',
    `KMS key ${KeyId} is no ${SPECS[algorithm].spec} key; see its alias`,
  )
}

/** @throws CustodyError `misconfigured` */
function algorithmOf(
  { Arn = '', KeyId, KeySpec, KeyUsage, Origin }: KeyMetadata,
  region: string,
): KeyAlgorithm {
  const found = (Object.keys(SPECS) as KeyAlgorithm[]).find((one) => SPECS[one].spec === KeySpec)
  if (found === undefined || KeyUsage !== 'SIGN_VERIFY')
    throw refuse(
      'misconfigured',
      `KMS key ${KeyId} is ${KeySpec} for ${KeyUsage}, and no key that signs here; correct custody.prefix`,
    )
  // Whoever imported it may have kept it.
  if (Origin !== 'AWS_KMS')
    throw refuse(
      'misconfigured',
      `the private half of KMS key ${KeyId} was not made in KMS (${Origin}); delete its alias and make a new version`,
    )
  const [, , , home] = Arn.split(':')
  if (home !== region)
    throw refuse(
      'misconfigured',
      `KMS key ${KeyId} is of region ${home}, and custody.region is ${region}; correct custody.region`,
    )
  return found
}

function ownTags(
  prefix: string,
  { name, scope }: Pick<KeyRef, 'name' | 'scope'>,
): Record<string, string> {
  return { 'assay:prefix': prefix, 'assay:scope': scope, 'assay:name': name }
}

function readPublicKey(tag: string | undefined, algorithm: KeyAlgorithm): Uint8Array | undefined {
  const begin = `${algorithm}:`
  return tag?.startsWith(begin) ? fromBase64url(tag.slice(begin.length)) : undefined
}

function importKey(algorithm: KeyAlgorithm, bytes: Uint8Array): P256Key | VerifyKey {
  return algorithm === 'ecdsa-p256' ? p256Key(bytes) : ed25519Key(bytes)
}

/** What stands before the 32 bytes in every SubjectPublicKeyInfo of an Ed25519 key. @see RFC 8410 */
const ED25519_SPKI = Uint8Array.of(
  0x30,
  0x2a,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x03,
  0x21,
  0,
)

function ed25519FromSpki(spki: Uint8Array): Uint8Array | undefined {
  const named = sameBytes(spki.subarray(0, ED25519_SPKI.length), ED25519_SPKI)
  return named && spki.length === 44 ? spki.slice(12) : undefined
}

/** KMS's signature as the port has it. @throws CustodyError `corrupt`: it is not the key's over the message */
export function checkedSignature(
  { algorithm, key, keyId }: KnownKey,
  message: Uint8Array,
  told: Uint8Array,
): Uint8Array {
  const signature = algorithm === 'ecdsa-p256' ? signatureFromDer(told) : Uint8Array.from(told)
  const sound =
    signature !== undefined &&
    (key.algorithm === 'ecdsa-p256'
      ? verifyP256(key, message, signature)
      : verifyEd25519(key, message, signature))
  if (sound) return signature
  throw refuse(
    'corrupt',
    `what KMS signed with key ${keyId} does not verify with its public key; look at the tags of the key and at custody.endpoint`,
  )
}

/** A copy. */
export function published(known: KnownKey, state: PublicKey['state']): PublicKey {
  const { algorithm, key, name, scope, version } = known
  return { scope, name, version, algorithm, publicKey: key.publicKey.slice(), state }
}
