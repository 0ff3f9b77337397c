/** What encrypts a folder of keys: a passphrase or 32 random bytes, in a file that is checked like a key. */
import { hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { refuse } from './failure.ts'
import { readSecret } from './files.ts'

export interface SecretFiles {
  /** One line of at least {@link MIN_CHARACTERS} characters. */
  readonly passphraseFile?: string | undefined
  /** 32 bytes, not text. */
  readonly keyFile?: string | undefined
}

/** RFC 7914 and RFC 5869. The salt has 16 bytes. */
export type Derivation =
  | {
      readonly name: 'scrypt'
      readonly N: number
      readonly r: number
      readonly p: number
      readonly salt: string
    }
  | { readonly name: 'hkdf-sha256'; readonly salt: string }

const MIN_CHARACTERS = 12
const KEY_BYTES = 32
const SALT_BYTES = 16
/** A guess costs 128 MiB and a good part of a second. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const
/** Who writes a file may ask for more, but not for a machine's whole memory. */
const MAX_N = 2 ** 20
const MAX_P = 4
/** Deriving takes 128 * N * r bytes, and a little. */
const MAX_MEMORY = 128 * MAX_N * SCRYPT.r + 2 ** 22

/** A derivation for a secret, with a new salt. */
export function newDerivation({ keyFile }: SecretFiles): Derivation {
  const salt = randomBytes(SALT_BYTES).toString('base64url')
  return keyFile === undefined ? { name: 'scrypt', ...SCRYPT, salt } : { name: 'hkdf-sha256', salt }
}

/** Whether the parameters are of our kind, not too weak, and no more than this process would pay. */
export function isSound(how: Derivation): boolean {
  if (Buffer.from(how.salt, 'base64url').length !== SALT_BYTES) return false
  if (how.name === 'hkdf-sha256') return true
  const { N, p, r } = how
  const areWhole = Number.isInteger(Math.log2(N)) && Number.isInteger(p)
  return areWhole && N >= SCRYPT.N && N <= MAX_N && r === SCRYPT.r && p >= 1 && p <= MAX_P
}

/**
 * 32 bytes; the caller overwrites them.
 * @throws CustodyError `misconfigured`: it is not the kind of secret that the folder was encrypted with, or none; what {@link readSecret} throws
 */
export async function derive(files: SecretFiles, how: Derivation): Promise<Uint8Array> {
  const salt = Buffer.from(how.salt, 'base64url')
  const secret = secretIn(files, how)
  try {
    if (how.name === 'hkdf-sha256')
      return new Uint8Array(hkdfSync('sha256', secret, salt, 'assay keys in files', KEY_BYTES))
    return await stretched(secret, salt, how)
  } finally {
    secret.fill(0)
  }
}

function secretIn({ keyFile, passphraseFile }: SecretFiles, { name }: Derivation): Uint8Array {
  const [path, member] =
    name === 'scrypt' ? [passphraseFile, 'passphraseFile'] : [keyFile, 'keyFile']
  if (path === undefined)
    throw refuse('misconfigured', `the keys are encrypted: name the ${member} that opens them`)
  return name === 'scrypt' ? passphraseIn(path) : keyIn(path)
}

function passphraseIn(path: string): Uint8Array {
  const { bytes } = readSecret(path)
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1
  const line = bytes.subarray(0, end)
  if (line.includes(0x0a) || line.length < MIN_CHARACTERS) {
    bytes.fill(0)
    throw refuse('misconfigured', `${path} is not one line of ${MIN_CHARACTERS} characters or more`)
  }
  return line
}

function keyIn(path: string): Uint8Array {
  const { bytes } = readSecret(path)
  if (bytes.length === KEY_BYTES) return bytes
  bytes.fill(0)
  throw refuse('misconfigured', `${path} is not ${KEY_BYTES} bytes; make it with openssl rand`)
}

function stretched(
  secret: Uint8Array,
  salt: Uint8Array,
  { N, p, r }: { readonly N: number; readonly p: number; readonly r: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, { N, r, p, maxmem: MAX_MEMORY }, (error, key) =>
      error === null
        ? resolve(key)
        : reject(refuse('unavailable', 'scrypt failed; it needs 128 MiB of memory and more')),
    )
  })
}
