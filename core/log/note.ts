/**
 * Signed notes: a text and lines of signatures over it. Parsing is strict to the byte, so that a note has one reading.
 *
 * @see https://c2sp.org/signed-note; https://c2sp.org/tlog-cosignature for cosignature/v1
 */
import {
  ed25519Key,
  fromBase64,
  fromHex,
  sha256Hex,
  toBase64,
  toHex,
  type VerifyKey,
  verifyEd25519,
} from '../crypto.ts'
import { LogError } from '../error.ts'

/** Signature types that are verified here. `log`: Ed25519 over the text. `cosignature`: a witness's, with a time. */
const TYPES = { log: 0x01, cosignature: 0x04 } as const
type KeyType = keyof typeof TYPES

export interface NoteKey {
  readonly vkey: string
  readonly name: string
  /** 8 lower-case hex digits. A hint for look-up, no proof. */
  readonly id: string
  readonly type: KeyType
  readonly key: VerifyKey
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

/** The key ID of a log's Ed25519 key, 8 hex digits. @throws LogError `malformed`: not a key name */
export function ed25519KeyId(name: string, publicKey: Uint8Array): string {
  return keyId(name, 'log', publicKey)
}

function keyId(name: string, type: KeyType, publicKey: Uint8Array): string {
  if (!isKeyName(name)) throw malformed('a key name has no space and no plus sign')
  return sha256Hex(Uint8Array.of(...encoder.encode(name), 0x0a, TYPES[type], ...publicKey)).slice(
    0,
    8,
  )
}

/** `<name>+<key ID>+<base64>`: how a verifier gets to know a key. @throws LogError `malformed` */
export function formatVkey(name: string, publicKey: Uint8Array, type: KeyType = 'log'): string {
  const encoded = toBase64(Uint8Array.of(TYPES[type], ...publicKey))
  return `${name}+${keyId(name, type, publicKey)}+${encoded}`
}

/** @throws LogError `malformed` (also for another type than Ed25519 and cosignature/v1), `weak_key` */
export function parseVkey(vkey: string): NoteKey {
  const [name = '', id = ''] = vkey.split('+', 2)
  // The base64 may hold plus signs of its own.
  const bytes = fromBase64(vkey.slice(name.length + id.length + 2))
  const type = (Object.keys(TYPES) as KeyType[]).find((known) => TYPES[known] === bytes?.[0])
  if (bytes?.length !== 33 || type === undefined)
    throw malformed('a vkey is <name>+<8 hex digits>+<base64 of a type and an Ed25519 key>')
  if (keyId(name, type, bytes.subarray(1)) !== id)
    throw malformed('the vkey names another key than it holds')
  return { vkey, name, id, type, key: ed25519Key(bytes.subarray(1)) }
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
  if (key.type === 'log')
    return verifyEd25519(key.key, encoder.encode(text), signature) ? { key } : undefined
  if (signature.length !== 72) return undefined
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  if (time === 0n || time > 2n ** 63n - 1n) return undefined
  const message = encoder.encode(`cosignature/v1\ntime ${time}\n${text}`)
  return verifyEd25519(key.key, message, signature.subarray(8)) ? { key, time } : undefined
}

/**
 * The note of `text` with one Ed25519 signature of the key that {@link ed25519KeyId} gave `id` for.
 *
 * @throws LogError `malformed`: a text that {@link parseNote} would not give back; whatever `sign` rejects with
 */
export async function signNote(
  text: string,
  name: string,
  id: string,
  sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (
    !text.endsWith('\n') ||
    !text.isWellFormed() ||
    !isPrintable(text) ||
    !isKeyName(name) ||
    !/^[0-9a-f]{8}$/.test(id)
  )
    throw malformed('a note has a text that ends in a line feed, and a signer with a key ID')
  const message = encoder.encode(text)
  const signature = await sign(message)
  const line = `— ${name} ${toBase64(Uint8Array.of(...fromHex(id)!, ...signature))}\n`
  return encoder.encode(`${text}\n${line}`)
}

/** `note` with the signatures of another note of the same text too. @throws LogError `malformed`: it is of another text */
export function joinNotes(note: Uint8Array, other: Uint8Array): Uint8Array {
  const { text } = parseNote(other)
  if (parseNote(note).text !== text) throw malformed('two notes of different texts')
  const lines = other.subarray(encoder.encode(text).length + 1)
  return Uint8Array.of(...note, ...lines)
}
