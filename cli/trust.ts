/** `assay trust path`: what a decision, a token or a release stands on, from the pinned root down to the line of the rule that accepted it. */
import { Adapters, type Config } from '../adapters/compose.ts'
import { readAnchor } from '../adapters/datafolder/anchor.ts'
import { anchorPath } from '../adapters/datafolder/identity.ts'
import { DecisionWalk, type TrustPathPorts } from '../adapters/trustpath/decision.ts'
import { type ReleaseFiles, releaseSteps } from '../adapters/trustpath/release.ts'
import { type AcceptedBy, pathOf, type Step, type TrustPath } from '../adapters/trustpath/step.ts'
import { tokenSteps } from '../adapters/trustpath/token.ts'
import { fromHex } from '../core/crypto.ts'
import { LogError } from '../core/error.ts'
import { parseAnchor, type TrustAnchor } from '../core/log/anchor.ts'
import { parseReceipt, type Receipt } from '../core/log/receipt.ts'
import { isPlainName, MAX_CONTENT_BYTES, MAX_SIGNATURE_BYTES } from '../formats/minisign/index.ts'
import { bytesOf, configured, type PlaceOptions, shown } from './input.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'
import { receiptOf } from './receipt.ts'
import { bounded, MAX_ARTIFACT_BYTES, readWhole, sourceAt } from './release/source.ts'
import { Spool } from './release/spool.ts'

/** Exactly one of them is given. */
interface Subject {
  readonly decision?: string
  /** A file, or - for standard input. */
  readonly receipt?: string
  /** A file, - for standard input, or the token itself. */
  readonly token?: string
  /** A folder, or a URL. */
  readonly release?: string
}
const SUBJECTS = ['decision', 'receipt', 'release', 'token'] as const
export interface TrustPathOptions extends PlaceOptions, Subject {
  /** Default: what the server wrote into the data folder, which proves nothing to a stranger. */
  readonly trust?: string
  /** Of a release: the file's name. */
  readonly artifact?: string
}

/** 0: every step holds, 1: one does not. */
export async function path(options: TrustPathOptions, out: Out): Promise<ExitCode> {
  if (SUBJECTS.filter((name) => options[name] !== undefined).length !== 1)
    throw new UsageError('usage', `name one thing: --${SUBJECTS.join(', --')}`)
  const config = await configured(options)
  const adapters = new Adapters(config, { readOnly: true })
  try {
    const walked = await walk(options, await portsOf(adapters, options), config)
    tell(walked, out)
    return walked.ok ? 0 : 1
  } finally {
    await adapters.close()
  }
}

async function portsOf(adapters: Adapters, { trust }: TrustPathOptions): Promise<TrustPathPorts> {
  const { config } = adapters
  const { anchor, anchorName } = await anchorOf(config, trust)
  const pair = await adapters.get('store')
  return {
    ...pair,
    compiler: await adapters.get('compiler'),
    anchor,
    anchorName,
    now: Math.floor((await adapters.get('clock')).now() / 1000),
    receipt: (id) => receiptOf(config, pair, id),
  }
}

/** What is trusted: the file that was named, else what the server wrote into the data folder. @throws UsageError, LogError */
export async function anchorOf(
  { data }: Config,
  trust: string | undefined,
): Promise<{ readonly anchor: TrustAnchor; readonly anchorName: string }> {
  if (trust !== undefined)
    return { anchor: parseAnchor(await bytesOf(trust, 'the trust anchor')), anchorName: trust }
  const file = anchorPath(data)
  const anchor = await readAnchor(file)
  if (anchor) return { anchor, anchorName: shown(file) }
  throw new UsageError('not_found', `${shown(file)} is not there: name a trust anchor with --trust`)
}

async function walk(subject: Subject, ports: TrustPathPorts, { data }: Config): Promise<TrustPath> {
  const walker = new DecisionWalk(ports)
  const root = await walker.root()
  if (subject.token !== undefined)
    return pathOf([...root, ...(await tokenSteps(await textOf(subject.token), ports, walker))])
  if (subject.release !== undefined)
    return pathOf([...root, ...(await releaseSteps(await filesAt(subject), ports, walker))])
  const found = await receiptFor(subject, ports)
  if (found === undefined)
    throw new UsageError('not_found', `no decision ${subject.decision} is in the log of ${data}`)
  if ('problem' in found) return pathOf([{ name: 'form', ok: false, detail: found.problem }])
  return pathOf([...root, ...(await walker.decision(found))])
}

/** @throws UsageError, SourceError */
async function filesAt({ artifact: name, release = '.' }: TrustPathOptions): Promise<ReleaseFiles> {
  if (name === undefined || !isPlainName(name))
    throw new UsageError('usage', '--release takes --artifact, which is a plain file name')
  const source = sourceAt(release)
  const [sums, sumsSignature, signature] = await Promise.all([
    readWhole(source, 'SHA256SUMS', MAX_CONTENT_BYTES),
    readWhole(source, 'SHA256SUMS.minisig', MAX_SIGNATURE_BYTES),
    readWhole(source, `${name}.minisig`, MAX_SIGNATURE_BYTES),
  ])
  const chunks = await source.open(name)
  if (chunks === undefined)
    throw new UsageError('not_found', `there is no file ${name} in ${printable(release)}`)
  const spool = await Spool.open()
  const digests = await spool.take(bounded(chunks, name, MAX_ARTIFACT_BYTES), MAX_CONTENT_BYTES)
  const { content, sha256 } = digests
  const hash = fromHex(digests.blake2b512) as Uint8Array
  return { name, artifact: { blake2b512: hash, content, signature }, sha256, sums, sumsSignature }
}

/** A token is recognised by how it begins; a file with such a name can be given as ./name. */
async function textOf(given: string): Promise<string> {
  if (given.startsWith('cap1.')) return given
  return new TextDecoder().decode(await bytesOf(given, 'the token')).trim()
}

/** What is no receipt is one that does not hold, as for `verify`. */
async function receiptFor(
  { decision, receipt }: Subject,
  ports: TrustPathPorts,
): Promise<Receipt | { readonly problem: string } | undefined> {
  if (decision !== undefined) return ports.receipt(decision)
  const bytes = await bytesOf(receipt ?? '-', 'the receipt')
  try {
    return parseReceipt(bytes)
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return { problem: error.message }
  }
}

function tell(walked: TrustPath, out: Out): void {
  const lines = walked.steps.flatMap(stepLines)
  const verdict = walked.ok ? out.colour('green', 'trusted') : out.colour('red', 'NOT TRUSTED')
  const failed = walked.steps.filter(({ ok }) => !ok).length
  const counted = walked.ok ? `${walked.steps.length} steps hold` : `${failed} steps do not hold`
  out.answer(walked, [...lines.map(printable), `${verdict}: ${counted}`].join('\n'))
}

function stepLines({ accepted = [], detail, name, ok }: Step): readonly string[] {
  return [`${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}`, ...accepted.flatMap(acceptedLines)]
}

function acceptedLines({ code, places, rule }: AcceptedBy): readonly string[] {
  if (places.length === 0) return [`       ${code} by ${rule}`]
  return places.map(({ file, line }) => `       ${code} by ${rule}, ${file}:${line}`)
}
