/**
 * What policy keys sign, k of n: a signed note (C2SP) whose text can be nothing else than a statement about one bundle. Its first line
 * keeps it apart from checkpoints, whose second line is a number.
 *
 * @see https://c2sp.org/signed-note
 */
import { toBase64 } from '../../core/crypto.ts'
import { LogError } from '../../core/error.ts'
import { type NoteKey, parseNote, parseVkey, verifyNote } from '../../core/log/note.ts'
import { deltaStatement, isDelta } from './delta.ts'
import { contentDigest, type Files } from './digest.ts'
import { MANIFEST, type Manifest, readManifest } from './manifest.ts'
import { BundleRefusal } from './refusal.ts'

export const PURPOSE = 'policy.bundle'

/** The text, with its final line feed: content, policy, documents, revision and what the bundle owns. */
export function statement(
  files: Files,
  manifest: Pick<Manifest, 'counter' | 'data' | 'digest' | 'roots'>,
): string {
  const { counter, data, digest, roots } = manifest
  const lines = [
    'assay.policy-bundle/v1',
    'scope policy',
    `content ${contentDigest(files)}`,
    `policy ${digest}`,
    `data ${data}`,
    `revision ${counter}`,
    ...roots.map((root) => `root ${root}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Of a bundle or a delta. @throws BundleRefusal `missing_file`, `invalid_manifest` */
export function statementOf(files: Files): string {
  if (isDelta(files)) return deltaStatement(files)
  return statement(files, readManifest(files.get(MANIFEST)))
}

/** The name in a policy key's vkey: the scope is part of it. */
export function keyName(name: string): string {
  return `policy/${name}`
}

export interface Roots {
  /** vkeys of scope `policy`: `policy/NAME+ID+BASE64`. */
  readonly keys: readonly string[]
  /** How many of them it takes. */
  readonly threshold: number
  /** vkeys that count no more, also where `keys` has them. */
  readonly revoked?: readonly string[]
  /** Keys that serve another purpose, in base64: the log's, a witness's. None of them signs policies. */
  readonly others?: readonly string[]
}

export interface ImportedRoots {
  readonly keys: readonly NoteKey[]
  readonly revoked: readonly NoteKey[]
  readonly threshold: number
}

/** @throws BundleRefusal `wrong_scope`: a key of another purpose; `foreign_root`: none, or not as many as the threshold */
export function importRoots({ keys, others = [], revoked = [], threshold }: Roots): ImportedRoots {
  const imported = keys.map(readRoot)
  const apart = new Set(imported.map(({ key }) => toBase64(key.publicKey)))
  if (others.some((other) => apart.has(other)))
    throw new BundleRefusal('wrong_scope', 'a policy root is a key of another scope too')
  if (apart.size < imported.length)
    throw new BundleRefusal('foreign_root', 'one policy root is named twice')
  if (threshold < 1 || threshold > imported.length)
    throw new BundleRefusal('foreign_root', 'the threshold is 1 to the number of policy roots')
  return { keys: imported, revoked: revoked.map(readRoot), threshold }
}

function readRoot(vkey: string): NoteKey {
  try {
    const key = parseVkey(vkey)
    if (key.type === 'log' && key.name.startsWith('policy/')) return key
  } catch (cause) {
    throw new BundleRefusal('foreign_root', 'a policy root is no vkey', { cause })
  }
  throw new BundleRefusal('wrong_scope', 'the name of a policy root begins with policy/')
}

/**
 * The vkeys that signed, once they are enough.
 *
 * @throws BundleRefusal `unsigned`: no line at all; `signature_invalid`: a damaged line, or one by a root over something else;
 *   `foreign_root`: none by a root; `revoked_key`: too few without those that are revoked; `threshold_not_met`: too few
 */
export function verifyStatement(
  text: string,
  lines: readonly string[],
  { keys, revoked, threshold }: ImportedRoots,
): readonly string[] {
  if (lines.length === 0)
    throw new BundleRefusal('unsigned', 'no policy key signed it; see assay policy sign')
  const signed = signersOf(text, lines, keys)
  const gone = new Set(revoked.map(({ key }) => toBase64(key.publicKey)))
  const counted = signed.filter(({ key }) => !gone.has(toBase64(key.publicKey)))
  const names = counted.map(({ vkey }) => vkey)
  if (counted.length >= threshold) return names
  if (signed.length === 0)
    throw new BundleRefusal('foreign_root', 'no policy root of this server signed it')
  const found = `${counted.length} of ${threshold} signatures`
  if (counted.length < signed.length)
    throw new BundleRefusal('revoked_key', `${found} without those of revoked keys`)
  throw new BundleRefusal('threshold_not_met', `${found} that it takes`)
}

function signersOf(
  text: string,
  lines: readonly string[],
  keys: readonly NoteKey[],
): readonly NoteKey[] {
  try {
    const note = parseNote(new TextEncoder().encode(`${text}\n${lines.join('\n')}\n`))
    if (note.text !== text) throw new LogError('bundle', 'malformed', 'a line is no signature')
    const named = note.lines.some(({ id, name }) =>
      keys.some((key) => key.id === id && key.name === name),
    )
    return named ? verifyNote(note, keys).map(({ key }) => key) : []
  } catch (cause) {
    throw new BundleRefusal(
      'signature_invalid',
      'a signature line is damaged, or over another bundle',
      { cause },
    )
  }
}
