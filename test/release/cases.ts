/**
 * Releases of every kind that we could think of, each with the verdict that is right for it: what the shared fixtures have, and more. Their
 * keys and signatures follow from names, so that they are the same in every run.
 */
import { keyIdText, type MinisignSignature, signatureFile } from '../../formats/minisign/index.ts'
import type { Served, Wanted } from './desk.ts'
import { bytes, type ReleaseOptions, released, Signer, sumsLine, TIMESTAMP } from './signer.ts'

export interface ReleaseCase {
  readonly name: string
  readonly release: Served
  /** Pinned one by one, unrelated to each other. */
  readonly pinned: readonly Signer[]
  readonly wanted?: Wanted
  /** `ok`, or why it is refused. */
  readonly reason: string
}

const signer = new Signer('release')
const other = new Signer('other')
const spoofed = new Signer('spoofed', signer.keyId)
export const ARTIFACT = 'grafos-1.4.2-x86_64-linux.tar.gz'
const SUMS = 'SHA256SUMS'

const make = (name: string, reason: string, release: Served, more: Partial<ReleaseCase> = {}) => ({
  name,
  reason,
  release,
  pinned: [signer],
  ...more,
})
const good = (options: ReleaseOptions = {}): Served => released(signer, options)
const line = (name = ARTIFACT): string => sumsLine(good().artifact, name)
/** A release whose listing says this. */
const listing = (sums: string): Served => good({ sums })
const comment = (text: string): Served => good({ comment: text })

/** The same with one bit of a file turned. */
function flipped(release: Served, file: keyof Omit<Served, 'name'>, at: number, bit = 1): Served {
  const copy = Uint8Array.from(release[file] as Uint8Array)
  copy[at < 0 ? copy.length + at : at]! ^= bit
  return { ...release, [file]: copy }
}

/** The artifact's signature file as text, changed. */
function edited(change: (text: string) => string, release: Served = good()): Served {
  const text = Buffer.from(release.artifactSignature as Uint8Array).toString('latin1')
  return { ...release, artifactSignature: new Uint8Array(Buffer.from(change(text), 'latin1')) }
}
const lines =
  (change: (lines: string[]) => readonly string[]) =>
  (text: string): string =>
    change(text.split('\n')).join('\n')
/** Line `n` (1 to 4) of the artifact's signature file, changed. */
const inLine = (n: number, change: (line: string) => string, release?: Served): Served =>
  edited(
    lines((all) => all.map((each, i) => (i === n - 1 ? change(each) : each))),
    release,
  )

/** The artifact's signature with members replaced, written anew. */
function resigned(change: Partial<MinisignSignature>, options: ReleaseOptions = {}): Served {
  const release = good(options)
  const parts = signer.parts(release.artifact, { comment: `file:${ARTIFACT} version:1.4.2` })
  return { ...release, artifactSignature: signatureFile({ ...parts, ...change }) }
}

const decoded = (text: string, change: (blob: Buffer) => Buffer): string =>
  change(Buffer.from(text, 'base64')).toString('base64')

/** S + L, which is the same scalar: a verifier that takes it has signatures that anyone can change. */
function plusOrder(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
  const [r, s] = [signature.slice(0, 32), signature.slice(32)]
  const scalar = BigInt(`0x${Buffer.from(s).reverse().toString('hex')}`) + order
  const hex = scalar.toString(16).padStart(64, '0')
  return Uint8Array.of(...r, ...Buffer.from(hex, 'hex').reverse())
}

const accepted: readonly ReleaseCase[] = [
  make('a release in order', 'ok', good()),
  make('prehashed and legacy side by side', 'ok', {
    ...good(),
    artifactSignature: signer.sign(good().artifact, { algorithm: 'legacy' }),
  }),
  make('all legacy', 'ok', good({ algorithm: 'legacy' })),
  make('an empty artifact', 'ok', good({ artifact: '' })),
  make(
    'line ends of Windows in the signature',
    'ok',
    edited((text) => text.replaceAll('\n', '\r\n')),
  ),
  make(
    'no last line end',
    'ok',
    edited((text) => text.slice(0, -1)),
  ),
  make(
    'a carriage return for the last line end',
    'ok',
    edited((text) => `${text.slice(0, -1)}\r`),
  ),
  make(
    'two carriage returns after the trusted comment',
    'ok',
    inLine(3, (text) => `${text}\r\r`),
  ),
  make(
    'something after the fourth line',
    'ok',
    edited((text) => `${text}more\n\n`),
  ),
  make(
    'an empty untrusted comment',
    'ok',
    inLine(1, () => 'untrusted comment: '),
  ),
  make(
    'an untrusted comment that lies',
    'ok',
    inLine(1, () => 'untrusted comment: version:9 file:x'),
  ),
  make(
    'the longest untrusted comment',
    'ok',
    inLine(1, (text) => text.padEnd(1022, 'x')),
  ),
  make(
    'bits left over in base64',
    'ok',
    inLine(4, (text) =>
      text
        .replace(/Q==$/, 'R==')
        .replace(/A==$/, 'B==')
        .replace(/g==$/, 'h==')
        .replace(/w==$/, 'x=='),
    ),
  ),
  make(
    'a trusted comment separated by tabs',
    'ok',
    comment(`timestamp:${TIMESTAMP}\tfile:${ARTIFACT}\tversion:1.4.2\thashed`),
  ),
  make('a trusted comment without conventions', 'ok', comment('built by nobody in particular')),
  make('an empty trusted comment', 'ok', comment('')),
  make('a trusted comment that is not UTF-8', 'ok', {
    ...good(),
    artifactSignature: signer.sign(good().artifact, { comment: Uint8Array.of(0xff, 0xfe, 0x80) }),
  }),
  make(
    'a listing with line ends of Windows',
    'ok',
    listing(`${line('other')}${line()}`.replaceAll('\n', '\r\n')),
  ),
  make('a listing in binary mode', 'ok', listing(line().replace('  ', ' *'))),
  make(
    'a digest in upper case',
    'ok',
    listing(line().replace(/^\S+/, (digest) => digest.toUpperCase())),
  ),
  make('a listing without a last line end', 'ok', listing(line().trimEnd())),
  make(
    'a listing with lines of other forms',
    'ok',
    listing(`# ${ARTIFACT}\n\nSHA256 (${ARTIFACT}) = 00\n\\00  ${ARTIFACT}\n${line()}`),
  ),
  make('a name without a version', 'ok', good({ name: 'grafos-linux.tar.gz' })),
  make('a version with a v', 'ok', good({ version: 'v1.4.2', name: ARTIFACT })),
  make('a version above the one in the name', 'ok', good({ version: '1.5', name: ARTIFACT })),
  make(
    'a candidate of the version in the name',
    'ok',
    good({ version: '1.4.2-rc.1', name: ARTIFACT }),
  ),
  make('the minimum itself', 'ok', good(), {
    wanted: { minimum: { version: '1.4.2', timestamp: TIMESTAMP } },
  }),
  make('two keys pinned, the other signs', 'ok', released(other), { pinned: [signer, other] }),
]

const keys: readonly ReleaseCase[] = [
  make('another key', 'key_id_mismatch', released(other)),
  make('another key under our key id', 'signature_invalid', released(spoofed)),
  make('another key signed the artifact', 'key_id_mismatch', {
    ...good(),
    artifactSignature: released(other).artifactSignature,
  }),
  make('another key signed the listing', 'key_id_mismatch', {
    ...good(),
    sumsSignature: released(other).sumsSignature,
  }),
  make(
    'two unrelated keys',
    'key_id_mismatch',
    { ...good(), artifactSignature: released(other).artifactSignature },
    { pinned: [signer, other] },
  ),
  make(
    'a key id turned round',
    'key_id_mismatch',
    resigned({ keyId: Uint8Array.from(signer.keyId).reverse() }),
  ),
]

const signatures: readonly ReleaseCase[] = [
  make('no signature of the artifact', 'signature_missing', {
    ...good(),
    artifactSignature: undefined,
  }),
  make('no signature of the listing', 'signature_missing', { ...good(), sumsSignature: undefined }),
  make('no listing', 'sums_missing', { ...good(), sums: undefined }),
  make('neither listing nor signature of it', 'sums_missing', {
    ...good(),
    sums: undefined,
    sumsSignature: undefined,
  }),
  make(
    'an empty signature file',
    'malformed_signature',
    edited(() => ''),
  ),
  make('an empty signature of the listing', 'malformed_signature', {
    ...good(),
    sumsSignature: new Uint8Array(),
  }),
  make('a third line missing', 'malformed_signature', edited(lines((all) => all.slice(0, 2)))),
  make(
    'a fourth line missing',
    'malformed_signature',
    edited(lines((all) => [...all.slice(0, 3), ''])),
  ),
  make(
    'the lines in another order',
    'malformed_signature',
    edited(lines(([a, b, c, d]) => [c!, d!, a!, b!])),
  ),
  make(
    'old line ends of Macintosh',
    'malformed_signature',
    edited((text) => text.replaceAll('\n', '\r')),
  ),
  make(
    'a byte order mark',
    'malformed_signature',
    edited((text) => `\xef\xbb\xbf${text}`),
  ),
  make(
    'a NUL in the untrusted comment',
    'malformed_signature',
    inLine(1, (text) => `${text}\0`),
  ),
  make(
    'a NUL in the trusted comment',
    'malformed_signature',
    inLine(3, (text) => `${text}\0x`),
  ),
  make(
    'another prefix of the untrusted comment',
    'malformed_signature',
    inLine(1, (text) => `x${text}`),
  ),
  make(
    'no space after the prefix',
    'malformed_signature',
    inLine(3, (text) => text.replace(': ', ':')),
  ),
  make(
    'an untrusted comment that is too long',
    'malformed_signature',
    inLine(1, (text) => text.padEnd(1023, 'x')),
  ),
  make(
    'a trusted comment that is too long',
    'malformed_signature',
    inLine(3, (text) => text.padEnd(8191, 'x')),
  ),
  make(
    'a space before the signature',
    'malformed_signature',
    inLine(2, (text) => ` ${text}`),
  ),
  make(
    'a space after the signature',
    'malformed_signature',
    inLine(2, (text) => `${text} `),
  ),
  make(
    'base64 without padding',
    'malformed_signature',
    inLine(2, (text) => text.replace(/=+$/, '')),
  ),
  make(
    'base64 with more padding',
    'malformed_signature',
    inLine(2, (text) => `${text}=`),
  ),
  make(
    'base64 in two lines',
    'malformed_signature',
    inLine(2, (text) => `${text.slice(0, 40)}\n${text.slice(40)}`),
  ),
  make(
    'base64url',
    'malformed_signature',
    inLine(2, (text) => `-_-_${text.slice(4)}`),
  ),
  make(
    'a signature one byte short',
    'malformed_signature',
    inLine(2, (text) => decoded(text, (blob) => blob.subarray(0, 73))),
  ),
  make(
    'a signature one byte long',
    'malformed_signature',
    inLine(2, (text) => decoded(text, (blob) => Buffer.concat([blob, blob.subarray(0, 1)]))),
  ),
  make(
    'a global signature one byte short',
    'malformed_signature',
    inLine(4, (text) => decoded(text, (blob) => blob.subarray(0, 63))),
  ),
  make('a key in the place of a signature', 'malformed_signature', {
    ...good(),
    artifactSignature: signer.file,
  }),
  make(
    'an unknown algorithm',
    'unsupported_algorithm',
    inLine(2, (text) =>
      decoded(text, (blob) => Buffer.concat([Buffer.from('EX'), blob.subarray(2)])),
    ),
  ),
  make(
    'the algorithm in lower case',
    'unsupported_algorithm',
    inLine(2, (text) =>
      decoded(text, (blob) => Buffer.concat([Buffer.from('ed'), blob.subarray(2)])),
    ),
  ),
  make(
    'prehashed called legacy',
    'signature_invalid',
    inLine(2, (text) =>
      decoded(text, (blob) => Buffer.concat([Buffer.from('Ed'), blob.subarray(2)])),
    ),
  ),
  make('a bit of the artifact', 'signature_invalid', flipped(good(), 'artifact', 3)),
  make('a bit of the listing', 'signature_invalid', flipped(good(), 'sums', 5)),
  make(
    'a bit of the signature',
    'signature_invalid',
    inLine(2, (text) =>
      decoded(text, (blob) => {
        blob[20]! ^= 1
        return blob
      }),
    ),
  ),
  make(
    'a bit of the global signature',
    'trusted_comment_invalid',
    inLine(4, (text) =>
      decoded(text, (blob) => {
        blob[20]! ^= 1
        return blob
      }),
    ),
  ),
  make(
    'a trusted comment edited',
    'trusted_comment_invalid',
    inLine(3, (text) => text.replace('1.4.2', '1.4.3')),
  ),
  make(
    'a space after the trusted comment',
    'trusted_comment_invalid',
    inLine(3, (text) => `${text} `),
  ),
  make(
    'the global signature of another file',
    'trusted_comment_invalid',
    resigned({ globalSignature: signer.parts(bytes('x')).globalSignature }),
  ),
  make('the signature of another file', 'signature_invalid', {
    ...good(),
    artifactSignature: good({ artifact: 'another' }).artifactSignature,
  }),
  make(
    'S + L',
    'signature_invalid',
    resigned({ signature: plusOrder(signer.parts(good().artifact).signature) }),
  ),
  make('a signature of zeros', 'signature_invalid', resigned({ signature: new Uint8Array(64) })),
]

const entries: readonly ReleaseCase[] = [
  make('an empty listing', 'digest_entry_missing', listing('')),
  make(
    'a listing about another file',
    'digest_entry_missing',
    listing(line('grafos-1.4.2-aarch64-linux.tar.gz')),
  ),
  make('a path', 'digest_entry_missing', listing(line(`../${ARTIFACT}`))),
  make('a path to here', 'digest_entry_missing', listing(line(`./${ARTIFACT}`))),
  make('a longer name', 'digest_entry_missing', listing(line(`${ARTIFACT}.sig`))),
  make('a name with a space after it', 'digest_entry_missing', listing(line(`${ARTIFACT} `))),
  make('a name with a space before it', 'digest_entry_missing', listing(line(` ${ARTIFACT}`))),
  make(
    'a name with another letter that looks the same',
    'digest_entry_missing',
    listing(line(ARTIFACT.replace('a', 'а'))),
  ),
  make('a name in upper case', 'digest_entry_missing', listing(line(ARTIFACT.toUpperCase()))),
  make('a name after one space', 'digest_entry_missing', listing(line().replace('  ', ' '))),
  make('a name after a tab', 'digest_entry_missing', listing(line().replace('  ', '\t'))),
  make(
    'BSD style',
    'digest_entry_missing',
    listing(`SHA256 (${ARTIFACT}) = ${line().slice(0, 64)}\n`),
  ),
  make('a name with a NUL', 'digest_entry_missing', listing(line(`${ARTIFACT}\0`))),
  make('two lines', 'digest_entry_ambiguous', listing(line() + line())),
  make(
    'a wrong line and a right one',
    'digest_entry_ambiguous',
    listing(`${'0'.repeat(64)}  ${ARTIFACT}\n${line()}`),
  ),
  make('text and binary', 'digest_entry_ambiguous', listing(line() + line().replace('  ', ' *'))),
  make('another digest', 'digest_mismatch', listing(`${'0'.repeat(64)}  ${ARTIFACT}\n`)),
  make('half a digest', 'digest_mismatch', listing(line().slice(32))),
  make('another artifact under this name', 'digest_mismatch', {
    ...good({ sums: line() }),
    artifact: bytes('x'),
    artifactSignature: signer.sign(bytes('x')),
  }),
]

const statements: readonly ReleaseCase[] = [
  make(
    'a trusted comment of another file',
    'trusted_comment_file_mismatch',
    comment('file:grafos-1.4.2-aarch64-linux.tar.gz version:1.4.2'),
  ),
  make(
    'a file stated twice',
    'trusted_comment_file_mismatch',
    comment(`file:${ARTIFACT} file:${ARTIFACT}`),
  ),
  make('a file stated emptily', 'trusted_comment_file_mismatch', comment('file: version:1.4.2')),
  make('a path as the file', 'trusted_comment_file_mismatch', comment(`file:./${ARTIFACT}`)),
  make(
    'a listing that is another file',
    'trusted_comment_file_mismatch',
    good({ sumsComment: 'file:MD5SUMS' }),
  ),
  make(
    'an older version than the name says',
    'version_rollback',
    good({ version: '1.4.1', name: ARTIFACT }),
  ),
  make(
    'an older version than the listing says',
    'version_rollback',
    good({ name: 'grafos.tar.gz', sumsComment: `file:${SUMS} version:1.5.0` }),
  ),
  make('an older version than is demanded', 'version_rollback', good(), {
    wanted: { minimum: { version: '1.4.10' } },
  }),
  make(
    'a candidate where the release is demanded',
    'version_rollback',
    good({ version: '1.4.2-rc.9' }),
    { wanted: { minimum: { version: '1.4.2' } } },
  ),
  make('an older signature than is demanded', 'version_rollback', good(), {
    wanted: { minimum: { version: '1.4.2', timestamp: TIMESTAMP + 1 } },
  }),
  make('no version where one is demanded', 'version_rollback', comment(`file:${ARTIFACT}`), {
    wanted: { minimum: { version: '1' } },
  }),
  make('a version that cannot be compared', 'version_rollback', comment('version:latest')),
  make('a version stated twice', 'version_rollback', comment('version:1.4.2 version:9')),
  make('a demand that cannot be compared', 'version_rollback', good(), {
    wanted: { minimum: { version: 'latest' } },
  }),
]

/** Whether a version is at least another one. */
const versions: readonly ReleaseCase[] = (
  [
    ['1.4.2-rc.9', '1.4.2-rc.10', false],
    ['1.4.2-rc.10', '1.4.2-rc.9', true],
    ['1.4.2-1', '1.4.2-alpha', false],
    ['1.4.2-beta', '1.4.2-alpha.1', true],
    ['1.4.2-alpha', '1.4.2-alpha.1', false],
    ['1.4.2-B', '1.4.2-a', false],
    ['1.4.2', '1.4.2+build.7', true],
    ['1.4.2+build.1', '1.4.2.0', true],
    ['1.4.2', '1.4.2.1', false],
    ['v1.4.2', '01.4.02', true],
    ['2026.11.21', '2026.2.28', true],
    ['999999999999999.1', '999999999999999.2', false],
  ] as const
).map(([version, minimum, isEnough]) =>
  make(
    `${version} where ${minimum} is demanded`,
    isEnough ? 'ok' : 'version_rollback',
    good({ name: 'grafos.tar.gz', version }),
    { wanted: { minimum: { version: minimum } } },
  ),
)

export const CASES: readonly ReleaseCase[] = [
  ...accepted,
  ...keys,
  ...signatures,
  ...entries,
  ...statements,
  ...versions,
]

export const keyTexts = ({ pinned }: ReleaseCase): readonly string[] =>
  pinned.map(({ text }) => text)
export const keyIds = ({ pinned }: ReleaseCase): readonly string[] =>
  pinned.map(({ keyId }) => keyIdText(keyId))
