/**
 * What a configuration file says about keys: one custody for all scopes, or several with the scopes that each serves. No secret stands in the
 * file itself; files have them.
 */
import { z } from 'zod'
import { ConfigError } from '../../core/error.ts'
import {
  KEY_ALGORITHMS,
  KEY_SCOPES,
  type KeyAlgorithm,
  type KeyScope,
} from '../../core/ports/custody.ts'

export interface FileCustodyConfig {
  readonly kind: 'file'
  readonly dir?: string
  readonly passphraseFile?: string
  readonly keyFile?: string
}
export type VaultAuth =
  | { readonly kind: 'token'; readonly tokenFile: string }
  | {
      readonly kind: 'approle'
      readonly roleId?: string
      readonly roleIdFile?: string
      readonly secretIdFile: string
      readonly mount?: string
    }
  | {
      readonly kind: 'jwt'
      readonly role: string
      readonly jwtFile: string
      readonly mount?: string
    }
export interface VaultCustodyConfig {
  readonly kind: 'vault'
  readonly address: string
  readonly auth: VaultAuth
  readonly namespace?: string
  readonly mount?: string
  readonly kvMount?: string
  readonly prefix?: string
  readonly caFile?: string
  readonly timeoutMs?: number
}
export interface KmsCustodyConfig {
  readonly kind: 'kms'
  readonly region: string
  readonly endpoint?: string
  readonly prefix?: string
  readonly algorithms?: readonly KeyAlgorithm[]
  readonly timeoutMs?: number
}
export interface Pkcs11CustodyConfig {
  readonly kind: 'pkcs11'
  readonly module: string
  readonly token: string
  readonly pinFile: string
  readonly prefix?: string
  readonly timeoutMs?: number
}
export type OwnCustodyConfig =
  | FileCustodyConfig
  | KmsCustodyConfig
  | Pkcs11CustodyConfig
  | VaultCustodyConfig
interface Serving {
  readonly scopes: readonly KeyScope[]
}

/** One custody, or several by scope; `Other` is one that is not built in. */
export type CustodyConfigOf<Other> =
  | OwnCustodyConfig
  | Other
  | readonly ((OwnCustodyConfig | Other) & Serving)[]

/** With nothing left open; paths are absolute. */
export type OwnCustody =
  | (FileCustodyConfig & { readonly dir: string })
  | Exclude<OwnCustodyConfig, FileCustodyConfig>
export type CustodyPlace<Other> =
  | OwnCustody
  | Other
  | { readonly kind: 'scoped'; readonly parts: readonly CustodyPart<Other>[] }
export interface CustodyPart<Other> extends Serving {
  readonly custody: OwnCustody | Other
}

export const CUSTODIES: readonly string[] = ['file', 'vault', 'kms', 'pkcs11']

const path = z.string().min(1).max(4096)
const word = z.string().min(1).max(255)
const httpUrl = z.url({ protocol: /^https?$/ })
const secretFile = (what: string) => path.describe(`${what}; a file that its owner alone can read`)
const prefix = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
  .describe('Begins the name of every key there, so that several logs can share it; default assay')
  .exactOptional()
const timeoutMs = z
  .int()
  .min(100)
  .max(60_000)
  .describe('Milliseconds until a call that got no answer fails')
  .exactOptional()
const mount = (usually: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/)
    .max(255)
    .describe(`Where it is mounted; default ${usually}`)
    .exactOptional()

const file = z.strictObject({
  kind: z.literal('file'),
  dir: path.describe('Default: keys in the data folder').exactOptional(),
  passphraseFile: secretFile('Encrypts the keys: a passphrase in one line').exactOptional(),
  keyFile: secretFile(
    'Encrypts the keys in place of a passphrase: 32 random bytes',
  ).exactOptional(),
})
const auth = z.union([
  z.strictObject({ kind: z.literal('token'), tokenFile: secretFile('A token of Vault') }),
  z.strictObject({
    kind: z.literal('approle'),
    roleId: word.exactOptional(),
    roleIdFile: path.exactOptional(),
    secretIdFile: secretFile('The secret id'),
    mount: mount('approle'),
  }),
  z.strictObject({
    kind: z.literal('jwt'),
    role: word,
    jwtFile: path.describe('A token, for example a JWT-SVID of SPIFFE; read again at each login'),
    mount: mount('jwt'),
  }),
])
const vault = z.strictObject({
  kind: z.literal('vault'),
  address: httpUrl.describe('For example https://vault.example.com:8200'),
  auth,
  namespace: word.exactOptional(),
  mount: mount('assay-transit'),
  kvMount: mount('assay-kv'),
  prefix: z
    .string()
    .regex(/^[a-z0-9]{1,32}$/)
    .describe('Begins the name of every key there; default assay')
    .exactOptional(),
  caFile: path.describe('PEM; these certificate authorities and no others').exactOptional(),
  timeoutMs,
})
const kms = z.strictObject({
  kind: z.literal('kms'),
  region: z.string().regex(/^[a-z0-9-]{1,64}$/),
  endpoint: httpUrl.exactOptional(),
  prefix,
  algorithms: z
    .array(z.enum(KEY_ALGORITHMS))
    .min(1)
    .max(KEY_ALGORITHMS.length)
    .describe('What keys it makes, the first one by default; default ecdsa-p256 alone')
    .exactOptional(),
  timeoutMs,
})
const pkcs11 = z.strictObject({
  kind: z.literal('pkcs11'),
  module: path.describe("The vendor's PKCS #11 library"),
  token: z.string().min(1).max(32).describe("The token's label"),
  pinFile: secretFile("The user's PIN in one line"),
  prefix,
  timeoutMs,
})
const scopes = z.array(z.enum(KEY_SCOPES)).min(1).max(KEY_SCOPES.length)
const own = [file, vault, kms, pkcs11] as const

/** @param foreign what names an adapter of somebody else */
export function custodySchema<Shape extends z.ZodRawShape>(
  foreign: z.ZodObject<Shape, z.core.$strict>,
): z.ZodType<CustodyConfigOf<z.output<typeof foreign>>> {
  const serving = [...own, foreign].map((one) => one.extend({ scopes }))
  const several = z
    .array(z.union(serving))
    .min(1)
    .max(KEY_SCOPES.length)
    .describe('Several, each with the scopes of its own; a scope that none serves has no keys')
  return z.union([...own, foreign, several]) as never
}

type At = (path: string) => string

/**
 * @param usually the folder of keys in files, and `at` makes a path absolute
 * @throws ConfigError `invalid_config`
 */
export function completeOwn(written: OwnCustodyConfig, usually: string, at: At): OwnCustody {
  if (written.kind === 'kms') return written
  if (written.kind === 'file') {
    if (written.passphraseFile !== undefined && written.keyFile !== undefined)
      throw refusal('has a passphraseFile and a keyFile; leave one of them out')
    const dir = written.dir === undefined ? usually : at(written.dir)
    return { ...written, ...placed(written, ['passphraseFile', 'keyFile'], at), dir }
  }
  if (written.kind === 'pkcs11')
    return { ...written, ...placed(written, ['module', 'pinFile'], at) }
  const { auth } = written
  if (auth.kind === 'approle' && (auth.roleId === undefined) === (auth.roleIdFile === undefined))
    throw refusal('needs auth.roleId or auth.roleIdFile, one of them')
  const files = ['tokenFile', 'roleIdFile', 'secretIdFile', 'jwtFile'] as const
  const login = {
    ...auth,
    ...placed(auth as Partial<Record<(typeof files)[number], string>>, files, at),
  }
  return { ...written, ...placed(written, ['caFile'], at), auth: login as VaultAuth }
}

function placed<Name extends string>(
  written: { readonly [name in Name]?: string },
  names: readonly Name[],
  at: At,
): { [name in Name]?: string } {
  const found: { [name in Name]?: string } = {}
  for (const name of names) {
    const path = written[name]
    if (path !== undefined) found[name] = at(path)
  }
  return found
}

/** @throws ConfigError `invalid_config`: a scope that two serve */
export function checkScopes(parts: readonly Serving[]): void {
  const all = parts.flatMap(({ scopes }) => scopes)
  const twice = all.find((scope, i) => all.indexOf(scope) !== i)
  if (twice !== undefined) throw refusal(`serves the scope ${twice} twice; leave it to one`)
}

/** What two logs must not have in common: where the keys of each lie. None for what somebody else's adapter says by itself. */
export function keyPlaces<Other extends { readonly kind: 'foreign' }>(
  place: CustodyPlace<Other>,
): readonly string[] {
  if (place.kind === 'scoped') return place.parts.flatMap(({ custody }) => keyPlaces(custody))
  switch (place.kind) {
    case 'file':
      return [place.dir]
    case 'vault':
      return [named(place.kind, place.address, place.namespace, place.mount, place.prefix)]
    case 'kms':
      return [named(place.kind, place.region, place.endpoint, place.prefix)]
    case 'pkcs11':
      return [named(place.kind, place.module, place.token, place.prefix)]
    default:
      return []
  }
}

const named = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts)

const refusal = (what: string): ConfigError => new ConfigError('invalid_config', `custody ${what}`)
