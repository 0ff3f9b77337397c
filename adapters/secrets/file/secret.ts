/** One version of a secret as a file: sealed for this name and version alone, and never without encryption. */
import type { KeyObject } from 'node:crypto'
import { concatBytes, fromBase64url, sha256Hex, toBase64url } from '../../../core/crypto.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import { KEY_STATES, type KeyState } from '../../../core/ports/custody.ts'
import type { SecretRef, SecretVersion } from '../../../core/ports/secrets.ts'
import { seal, unseal } from '../../custody/file/sealed.ts'
import { refuse } from './failure.ts'

const FORMAT = 'assay-secret-1'
const purposeOf = ({ name, version }: SecretRef): string => `${FORMAT} ${name}.${version}`

/** The caller overwrites the value. */
export interface StoredSecret {
  readonly salt: Uint8Array
  readonly state: KeyState
  readonly value: Uint8Array<ArrayBuffer>
}

export function encodeSecret(
  key: KeyObject,
  ref: SecretRef,
  { salt, state, value }: StoredSecret,
): Uint8Array {
  const inner = Buffer.from(
    JSON.stringify({ salt: toBase64url(salt), state, value: toBase64url(value) }),
  )
  const sealed = seal(key, purposeOf(ref), inner)
  inner.fill(0)
  return Buffer.from(`${JSON.stringify({ format: FORMAT, sealed })}\n`)
}

/** `path` is for messages. @throws CustodyError `corrupt`; without a cause, which could quote the file */
export function decodeSecret(
  path: string,
  key: KeyObject,
  ref: SecretRef,
  bytes: Uint8Array,
): StoredSecret {
  const { format, sealed, ...rest } = membersIn(path, bytes)
  if (format !== FORMAT || typeof sealed !== 'string' || Object.keys(rest).length > 0)
    throw corrupt(path)
  const inner = unseal(key, purposeOf(ref), sealed)
  if (inner === undefined) throw corrupt(path)
  try {
    const { salt, state, value } = membersIn(path, inner)
    const known = KEY_STATES.find((one) => one === state)
    const [salted, plain] = [salt, value].map((one) =>
      typeof one === 'string' ? fromBase64url(one) : undefined,
    )
    if (known === undefined || salted === undefined || plain === undefined) throw corrupt(path)
    return { salt: salted, state: known, value: new Uint8Array(plain) }
  } finally {
    inner.fill(0)
  }
}

/** With nothing of the value. */
export function published(
  { name, version }: SecretRef,
  { salt, state, value }: StoredSecret,
): SecretVersion {
  const salted = concatBytes([salt, value])
  const digest = sha256Hex(salted)
  salted.fill(0)
  return { name, version, digest, state }
}

function membersIn(path: string, bytes: Uint8Array): Readonly<Record<string, Json | undefined>> {
  try {
    const value = parseJson(bytes, { maxDepth: 2 })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  } catch {
    // The parser's error says where in the file, and might say what.
  }
  throw corrupt(path)
}

const corrupt = (path: string): Error =>
  refuse('corrupt', `${path} does not open as what its name says; restore it`)
