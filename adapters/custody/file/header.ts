/**
 * `encryption.json`, which makes a folder of keys an encrypted one. Keys are sealed with a random data key; the header has the data key, sealed
 * with what is derived from the passphrase or the key file. While a folder is being encrypted anew it also has what its files were sealed
 * with before: those that are not done yet open with that.
 */
import { type KeyObject, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fromBase64url, toBase64url } from '../../../core/crypto.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import { refuse } from './failure.ts'
import { readSecret, type Stamp, stampAt, writeSecret } from './files.ts'
import { seal, sealingKey, unseal } from './sealed.ts'
import { type Derivation, derive, isSound, newDerivation, type SecretFiles } from './secret.ts'

export const HEADER = 'encryption.json'
const FORMAT = 'assay-keys-1'
const KEY_BYTES = 32

/** What the files of a folder are sealed with. */
export interface FolderKey {
  readonly key: KeyObject
  /** What they may be sealed with as well: `plain`, not at all. */
  readonly previous?: KeyObject | 'plain'
  /** Of the header that it was read from. */
  readonly stamp: Stamp
}

/** As it was read. */
export interface HeaderKey extends FolderKey {
  /** The header without `previous`, where there is one: for when no file is sealed with that any more. */
  readonly settled?: Uint8Array
}

export interface Header {
  readonly derivation: Derivation
  readonly sealed: string
}

/** Undefined in a folder that is not encrypted. */
export const headerStamp = (folder: string): Stamp | undefined => stampAt(join(folder, HEADER))

/** @throws CustodyError `denied`: another passphrase or key; `misconfigured`: none; `corrupt` */
export async function openHeader(folder: string, secret: SecretFiles): Promise<HeaderKey> {
  const path = join(folder, HEADER)
  const { bytes, stamp } = readSecret(path)
  const { derivation, sealed } = decodeHeader(path, bytes)
  const secretKey = sealingKey(await derive(secret, derivation))
  const opened = unseal(secretKey, purposeOf(derivation), sealed)
  if (opened === undefined)
    throw refuse('denied', `${path} does not open: this is another passphrase or key file`)
  const { data, previous } = keysIn(path, opened)
  const settled = previous && encodeHeader(secretKey, derivation, data, undefined)
  return { key: sealingKey(data), stamp, ...(previous && settled && { previous, settled }) }
}

/** A header that is not written yet. */
export interface NewHeader {
  readonly bytes: Uint8Array
  readonly key: KeyObject
  /** The same without `previous`: for when no file is sealed with that any more. */
  readonly settled: Uint8Array
}

/** A new data key. */
export async function newHeader(
  secret: SecretFiles,
  previous?: KeyObject | 'plain',
): Promise<NewHeader> {
  const derivation = newDerivation(secret)
  const secretKey = sealingKey(await derive(secret, derivation))
  const data = new Uint8Array(randomBytes(KEY_BYTES))
  const old = previous === undefined || previous === 'plain' ? previous : previous.export()
  const encode = (before: Uint8Array | string | undefined): Uint8Array =>
    encodeHeader(secretKey, derivation, data, before)
  const made = { bytes: encode(old), settled: encode(undefined) }
  if (typeof old === 'object') old.fill(0)
  return { ...made, key: sealingKey(data) }
}

export function writeHeader(folder: string, bytes: Uint8Array): Stamp {
  writeSecret(folder, HEADER, bytes)
  return headerStamp(folder) ?? ''
}

function encodeHeader(
  secretKey: KeyObject,
  derivation: Derivation,
  data: Uint8Array,
  before: Uint8Array | string | undefined,
): Uint8Array {
  const previous = typeof before === 'object' ? toBase64url(before) : before
  const inner = Buffer.from(JSON.stringify({ key: toBase64url(data), previous }))
  const sealed = seal(secretKey, purposeOf(derivation), inner)
  inner.fill(0)
  return Buffer.from(`${JSON.stringify({ format: FORMAT, derivation, sealed }, null, 2)}\n`)
}

/** The parameters are bound too: nobody makes the derivation cheaper, or another one. */
const purposeOf = (derivation: Derivation): string => `${FORMAT} ${JSON.stringify(derivation)}`

/** @throws CustodyError `corrupt`: also for a derivation that is too weak, or too much */
export function decodeHeader(path: string, bytes: Uint8Array): Header {
  const { derivation, format, sealed, ...rest } = objectIn(path, bytes)
  if (format !== FORMAT || typeof sealed !== 'string' || Object.keys(rest).length > 0)
    throw corrupt(path)
  const how = derivationOf(derivation)
  if (how === undefined || !isSound(how)) throw corrupt(path)
  return { derivation: how, sealed }
}

function derivationOf(value: Json | undefined): Derivation | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { N, name, p, r, salt } = value as Record<string, Json | undefined>
  if (typeof salt !== 'string') return undefined
  if (name === 'hkdf-sha256') return { name, salt }
  if (name !== 'scrypt') return undefined
  if (typeof N !== 'number' || typeof r !== 'number' || typeof p !== 'number') return undefined
  return { name, N, r, p, salt }
}

function keysIn(
  path: string,
  opened: Uint8Array,
): { readonly data: Uint8Array; readonly previous?: KeyObject | 'plain' } {
  const { key, previous } = objectIn(path, opened)
  opened.fill(0)
  const data = dataKey(key)
  if (data === undefined) throw corrupt(path)
  if (previous === undefined) return { data }
  const before = previous === 'plain' ? undefined : dataKey(previous)
  if (previous !== 'plain' && before === undefined) throw corrupt(path)
  return { data, previous: before === undefined ? 'plain' : sealingKey(before) }
}

function dataKey(text: Json | undefined): Uint8Array | undefined {
  const bytes = typeof text === 'string' ? fromBase64url(text) : undefined
  return bytes?.length === KEY_BYTES ? bytes : undefined
}

function objectIn(path: string, bytes: Uint8Array): Readonly<Record<string, Json | undefined>> {
  try {
    const value = parseJson(bytes, { maxDepth: 3 })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  } catch {
    // The parser's error says where, and might say what.
  }
  throw corrupt(path)
}

const corrupt = (path: string): Error =>
  refuse('corrupt', `${path} is not of ours, or was changed; restore it`)
