/**
 * OPA's own signature of a bundle: a token with the digest of every file, as `opa sign` writes it and `opa run --verification-key`
 * checks it.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { CompactSign, compactVerify, importPKCS8, importSPKI, importX509 } from 'jose'
import { type Json, parseJson } from '../../../core/json.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import {
  BundleRefusal,
  byPath,
  type Files,
  isStructured,
  SIGNATURES,
  type Signatures,
  structuredText,
  type TokenAlgorithm,
} from '../../../formats/bundle/index.ts'

export interface TokenKey {
  /** PEM: PKCS #8 to sign; SPKI or a certificate to verify. */
  readonly pem: string
  readonly algorithm: TokenAlgorithm
  /** What the token says that it is for; both sides name the same, or none. */
  readonly scope?: string
  /** Of the key, for verifiers that have several. */
  readonly keyId?: string
}

const HASHES: Readonly<Record<string, string>> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512-256': 'sha512-256',
}
/** What `opa build` names its own way to verify. */
const OWN_VERIFIER = '_default'
const MAX_BYTES = 8 * 1024 * 1024

/** The compact token. @throws BundleRefusal `signature_invalid`: the key is not one of its algorithm */
export async function signToken(files: Files, key: TokenKey): Promise<string> {
  const listed = [...files].filter(([path]) => path !== SIGNATURES).sort(byPath)
  const { algorithm: alg, keyId, scope } = key
  const payload = {
    files: listed.map(([name, bytes]) => ({
      name,
      hash: digestOf(name, bytes, 'sha256').toString('hex'),
      algorithm: 'SHA-256',
    })),
    ...(keyId === undefined ? {} : { keyid: keyId }),
    ...(scope === undefined ? {} : { scope }),
  }
  const signed = new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
  const header = keyId === undefined ? { alg } : { alg, kid: keyId }
  const handle = await imported(() => importPKCS8(key.pem, alg))
  return signed.setProtectedHeader(header).sign(handle)
}

/**
 * That one token covers every file, and nothing else.
 *
 * @throws BundleRefusal `unsigned`; `signature_invalid`: another key, scope or algorithm, or a token that cannot be read; `corrupted`: a
 *   file is not what the token says, is not in it, or is missing
 */
export async function verifyToken(files: Files, found: Signatures, key: TokenKey): Promise<void> {
  const { signatures = [], plugin } = found
  const [token] = signatures
  if (token === undefined) throw new BundleRefusal('unsigned', `${SIGNATURES} has no token`)
  if (signatures.length > 1 || (plugin !== undefined && plugin !== OWN_VERIFIER))
    throw invalid('one token is verified, as OPA itself verifies it')
  const listed = await claims(token, key)
  for (const [path, bytes] of files) {
    if (path === SIGNATURES) continue
    const claimed = listed.get(path)
    if (claimed === undefined) throw new BundleRefusal('corrupted', `${path} is not signed`)
    const hash = HASHES[claimed.algorithm]
    if (hash === undefined) throw invalid(`${claimed.algorithm} is no digest that counts here`)
    if (!same(digestOf(path, bytes, hash), Buffer.from(claimed.hash, 'hex')))
      throw new BundleRefusal('corrupted', `${path} is not what was signed`)
    listed.delete(path)
  }
  const [missing] = listed.keys()
  if (missing !== undefined) throw new BundleRefusal('corrupted', `${missing} is missing`)
}

interface Listed {
  readonly name: string
  readonly hash: string
  readonly algorithm: string
}
const text = schema.string({ maxLength: 4096 })
const list: Schema<readonly Listed[]> = schema.array(
  schema.object({ name: text, hash: text, algorithm: text }),
  { maxItems: 4096 },
)

async function claims(token: string, key: TokenKey): Promise<Map<string, Listed>> {
  const { files, scope } = await payloadOf(token, key)
  if (scope !== key.scope && !(scope === '' && key.scope === undefined))
    throw invalid('the token is for another scope')
  const problem = list.problem(files as Json, '/files')
  if (problem !== undefined) throw invalid(`the token's ${problem}`)
  const listed = (files as unknown as readonly Listed[]).map(
    (each) => [each.name.replace(/^\/+/, ''), each] as const,
  )
  return new Map(listed)
}

/** Whatever algorithm the token asks for, the key's own is the one. */
async function payloadOf(
  token: string,
  { algorithm, pem }: TokenKey,
): Promise<{ readonly files?: Json; readonly scope?: Json }> {
  const handle = await imported(() =>
    pem.includes('BEGIN CERTIFICATE') ? importX509(pem, algorithm) : importSPKI(pem, algorithm),
  )
  try {
    const { payload } = await compactVerify(token, handle, { algorithms: [algorithm] })
    const value = parseJson(payload, { maxBytes: MAX_BYTES })
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as { readonly [name: string]: Json }
  } catch (cause) {
    throw new BundleRefusal('signature_invalid', 'the token does not verify with this key', {
      cause,
    })
  }
  throw invalid('the token says nothing')
}

async function imported<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    const what = 'the key is not PEM (PKCS #8, SPKI or a certificate) of this algorithm'
    throw new BundleRefusal('signature_invalid', what, { cause })
  }
}

function digestOf(path: string, bytes: Uint8Array, hash: string): Buffer {
  const digest = createHash(hash)
  if (!isStructured(path)) return digest.update(bytes).digest()
  try {
    return digest.update(structuredText(new TextDecoder('utf-8').decode(bytes))).digest()
  } catch (cause) {
    throw new BundleRefusal('invalid_data', `${path} is not JSON`, { cause })
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function invalid(what: string): BundleRefusal {
  return new BundleRefusal('signature_invalid', what)
}
