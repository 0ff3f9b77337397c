/**
 * Signed notes: a text and lines of signatures over it. Parsing is strict to the byte, so that a note has one reading.
 *
 * @see https://c2sp.org/signed-note; https://c2sp.org/tlog-cosignature for cosignature/v1
 */
import {
  derFromSignature,
  ed25519Key,
  fromBase64,
  type P256Key,
  p256FromSpki,
  p256Key,
  p256Spki,
  sha256,
  signatureFromDer,
  toBase64,
  toHex,
  type VerifyKey,
  verifyEd25519,
  verifyP256,
} from '../crypto.ts'
import { LogError } from '../error.ts'

/** Signature types that are verified here. Ed25519 and ECDSA are over the text, a witness's cosignature (Ed25519) over a time too. */
const TYPES = { ed25519: 0x01, ecdsa: 0x02, cosignature: 0x04 } as const
/** What a key is for. A log's is Ed25519 or ECDSA over P-256, a witness's Ed25519. */
type KeyType = 'cosignature' | 'log'

export interface NoteKey {
  readonly vkey: string
  readonly name: string
  /** 8 lower-case hex digits. A hint for look-up, no proof. */
  readonly id: string
  readonly type: KeyType
  readonly key: P256Key | VerifyKey
}

export interface NoteLine {
  readonly name: string
  readonly id: string
  /** What follows the key ID. */
  readonly signature: Uint8Array
}

export interface Note {
  /** With its final line feed; exactly what is signed. */
  readonly text: string
  readonly lines: readonly NoteLine[]
}

export interface Verified {
  readonly key: NoteKey
  /** When a witness says that it saw the text, in Unix seconds; unset for a log's own key. */
  readonly time?: bigint
}

const MAX_NOTE_BYTES = 131_072
const MAX_LINES = 100
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function malformed(what: string, cause?: unknown): LogError {
  return new LogError('log/note', 'malformed', what, { cause })
}

/** Not empty, no Unicode space, no plus sign, nothing below U+0020. */
function isKeyName(name: string): boolean {
  return (
    name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name) && isPrintable(name)
  )
}

function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 && unit !== 0x0a) return false
  }
  return true
}

/** A key as its vkey has it: a type, and an Ed25519 key of 32 bytes or a P-256 key as SubjectPublicKeyInfo. */
function encodeKey(publicKey: Uint8Array, type: KeyType): Uint8Array {
  if (type === 'cosignature') return Uint8Array.of(TYPES.cosignature, ...publicKey)
  if (publicKey.length === 65) return Uint8Array.of(TYPES.ecdsa, ...p256Spki(publicKey))
  return Uint8Array.of(TYPES.ed25519, ...publicKey)
}

/** Four bytes. That of an ECDSA key is of the key alone. @throws LogError `malformed`: not a key name */
function keyId(name: string, encoded: Uint8Array): Uint8Array {
  if (!isKeyName(name)) throw malformed('a key name has no space and no plus sign')
  const named =
    encoded[0] === TYPES.ecdsa
      ? encoded.subarray(1)
      : Uint8Array.of(...encoder.encode(name), 0x0a, ...encoded)
  return sha256(named).subarray(0, 4)
}

/**
 * `<name>+<key ID>+<base64>`: how a verifier gets to know a key.
 *
 * @param publicKey 32 bytes are an Ed25519 key, 65 bytes a P-256 key
 * @throws LogError `malformed`
 */
export function formatVkey(name: string, publicKey: Uint8Array, type: KeyType = 'log'): string {
  const encoded = encodeKey(publicKey, type)
  return `${name}+${toHex(keyId(name, encoded))}+${toBase64(encoded)}`
}

/** @throws LogError `malformed` (also for a type that is not verified here), `weak_key` */
export function parseVkey(vkey: string): NoteKey {
  const [name = '', id = ''] = vkey.split('+', 2)
  // The base64 may hold plus signs of its own.
  const encoded = fromBase64(vkey.slice(name.length + id.length + 2))
  const key = encoded && importKey(encoded)
  if (encoded === undefined || key === undefined)
    throw malformed('a vkey is <name>+<8 hex digits>+<base64 of a type and a key of that type>')
  if (toHex(keyId(name, encoded)) !== id)
    throw malformed('the vkey names another key than it holds')
  return { vkey, name, id, type: encoded[0] === TYPES.cosignature ? 'cosignature' : 'log', key }
}

function importKey(encoded: Uint8Array): P256Key | VerifyKey | undefined {
  const [type, bytes] = [encoded[0], encoded.subarray(1)]
  if (type === TYPES.ecdsa) {
    const point = p256FromSpki(bytes)
    return point && p256Key(point)
  }
  const known = type === TYPES.ed25519 || type === TYPES.cosignature
  return known && bytes.length === 32 ? ed25519Key(bytes) : undefined
}

/** @throws LogError `malformed`, `too_large` */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_BYTES)
    throw new LogError('log/note', 'too_large', `a note has at most ${MAX_NOTE_BYTES} bytes`)
  const whole = decode(bytes)
  const split = whole.lastIndexOf('\n\n')
  if (split < 0 || !whole.endsWith('\n') || !isPrintable(whole))
    throw malformed('a note is lines of text, an empty line and lines of signatures')
  const signatures = whole.slice(split + 2, -1).split('\n')
  if (signatures.length > MAX_LINES)
    throw new LogError('log/note', 'too_large', `a note has at most ${MAX_LINES} signatures`)
  return { text: whole.slice(0, split + 1), lines: signatures.map(parseLine) }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw malformed('the bytes are not UTF-8', cause)
  }
}

function parseLine(line: string): NoteLine {
  const [dash, name, encoded, ...rest] = line.split(' ')
  const bytes = fromBase64(encoded ?? '')
  if (dash !== '—' || rest.length > 0 || !isKeyName(name ?? '') || bytes === undefined)
    throw malformed('a signature line is an em dash, a key name and base64')
  if (bytes.length < 4) throw malformed('a signature begins with four bytes of key ID')
  const id = toHex(bytes.subarray(0, 4))
  return { name: name as string, id, signature: bytes.subarray(4) }
}

/**
 * Who of `keys` signed the note, each once. Lines of other keys are ignored.
 *
 * @throws LogError `signature_invalid`: a line of one of `keys` does not verify, whatever the others say; `untrusted_key`: none is there
 */
export function verifyNote(note: Note, keys: readonly NoteKey[]): Verified[] {
  const verified = new Map<NoteKey, Verified>()
  for (const line of note.lines) {
    const key = keys.find(({ name, id }) => name === line.name && id === line.id)
    if (key === undefined) continue
    const found = verifyLine(note.text, line, key)
    if (found === undefined)
      throw new LogError('log/note', 'signature_invalid', `the signature of ${key.vkey} is wrong`)
    if (!verified.has(key)) verified.set(key, found)
  }
  if (verified.size === 0)
    throw new LogError(
      'log/note',
      'untrusted_key',
      'no known key signed the note; check the anchor',
    )
  return [...verified.values()]
}

function verifyLine(text: string, { signature }: NoteLine, key: NoteKey): Verified | undefined {
  if (key.type === 'log') return verifies(key.key, text, signature) ? { key } : undefined
  if (signature.length !== 72) return undefined
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  if (time === 0n || time > 2n ** 63n - 1n) return undefined
  const message = `cosignature/v1\ntime ${time}\n${text}`
  return verifies(key.key, message, signature.subarray(8)) ? { key, time } : undefined
}

function verifies(key: P256Key | VerifyKey, text: string, signature: Uint8Array): boolean {
  const message = encoder.encode(text)
  if (key.algorithm === 'ed25519') return verifyEd25519(key, message, signature)
  const both = signatureFromDer(signature)
  return both !== undefined && verifyP256(key, message, both)
}

/**
 * The line of a log's signature, without a line feed.
 *
 * @param publicKey as {@link formatVkey} takes it
 * @param signature 64 bytes: Ed25519, or r and s of ECDSA, which the line has in DER
 * @throws LogError `malformed`
 */
export function signatureLine(name: string, publicKey: Uint8Array, signature: Uint8Array): string {
  if (signature.length !== 64) throw malformed('a signature has 64 bytes')
  const encoded = encodeKey(publicKey, 'log')
  const written = encoded[0] === TYPES.ecdsa ? derFromSignature(signature) : signature
  return `— ${name} ${toBase64(Uint8Array.of(...keyId(name, encoded), ...written))}`
}

/**
 * The note of `text` with one signature of a log's key.
 *
 * @param publicKey as {@link formatVkey} takes it
 * @param sign gives 64 bytes: Ed25519, or r and s of ECDSA
 * @throws LogError `malformed`: a text that {@link parseNote} would not give back; whatever `sign` rejects with
 */
export async function signNote(
  text: string,
  name: string,
  publicKey: Uint8Array,
  sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (!text.endsWith('\n') || !text.isWellFormed() || !isPrintable(text) || !isKeyName(name))
    throw malformed('a note has a text that ends in a line feed, and a signer with a name')
  const line = signatureLine(name, publicKey, await sign(encoder.encode(text)))
  return encoder.encode(`${text}\n${line}\n`)
}

/** `note` with the signatures of another note of the same text too. @throws LogError `malformed`: it is of another text */
export function joinNotes(note: Uint8Array, other: Uint8Array): Uint8Array {
  const { text } = parseNote(other)
  if (parseNote(note).text !== text) throw malformed('two notes of different texts')
  const lines = other.subarray(encoder.encode(text).length + 1)
  return Uint8Array.of(...note, ...lines)
}
