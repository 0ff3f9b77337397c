/** `assay release`: verifies releases and installs them, and says which keys may sign them. */
import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toBase64url } from '../core/base64.ts'
import type { Decision } from '../core/kernel.ts'
import {
  isPlainName,
  MAX_CONTENT_BYTES,
  MAX_SIGNATURE_BYTES,
  readSignature,
} from '../formats/minisign/index.ts'
import { words } from './decide.ts'
import { bytesOf, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'
import { type Ask, asking, keyOf } from './release/ask.ts'
import {
  bounded,
  MAX_ARTIFACT_BYTES,
  readStart,
  readWhole,
  type Source,
  SourceError,
  sourceAt,
} from './release/source.ts'
import { Spool } from './release/spool.ts'

export interface VerifyOptions extends PlaceOptions {
  readonly artifact: string
  readonly key: readonly string[]
  readonly install?: string
  readonly minimum?: string
}

/** 0: it is a release, and is installed where that was asked for; 1: it is not, and nothing was written. */
export async function verify(options: VerifyOptions, out: Out, place: string): Promise<ExitCode> {
  const { artifact, minimum } = options
  if (!isPlainName(artifact))
    throw new UsageError('usage', `${printable(artifact)} is not a plain file name`)
  const keys = await Promise.all(options.key.map(keyOf))
  const target = options.install === undefined ? undefined : await targetAt(options.install)
  const source = sourceAt(place)
  const spool = await Spool.open(target)
  try {
    const question = {
      ...(await gathered(source, artifact, spool)),
      keys,
      ...(minimum === undefined ? {} : { minimum: { version: minimum } }),
    }
    const decision = await asking(options, (ask) => verdict(ask, keys, question))
    if (decision.allow && target !== undefined) await spool.install()
    report(decision, { artifact, sha256: question.sha256, installed: target }, out)
    return decision.allow ? 0 : 1
  } finally {
    await spool.close()
  }
}

/** A key that the operator names is pinned, unless its time is over: then its successor's signature may count, or nothing does. */
async function verdict(ask: Ask, keys: readonly string[], question: object): Promise<Decision> {
  for (const public_key of keys) {
    const pinned = await ask('release.pin', { public_key })
    if (!pinned.allow && pinned.reasons.every(({ code }) => code !== 'key_not_active'))
      return pinned
  }
  return ask('release.verify', question)
}

/** A file there is replaced; a folder, a device or a pipe is not. @throws UsageError */
async function targetAt(path: string): Promise<string> {
  const target = resolve(path)
  const there = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (there === undefined || there.isFile() || there.isSymbolicLink()) return target
  throw new UsageError('usage', `${path} is not a file; --install takes the path of one`)
}

interface Question {
  readonly artifact: string
  readonly blake2b512: string
  readonly sha256: string
  readonly size: number
}

/** What the plugin is asked. @throws SourceError */
async function gathered(source: Source, artifact: string, spool: Spool): Promise<Question> {
  const [sums, sumsSignature, signature] = await Promise.all([
    readWhole(source, 'SHA256SUMS', MAX_CONTENT_BYTES),
    readStart(source, 'SHA256SUMS.minisig', MAX_SIGNATURE_BYTES),
    readStart(source, `${artifact}.minisig`, MAX_SIGNATURE_BYTES),
  ])
  const chunks = await source.open(artifact)
  if (chunks === undefined) throw new SourceError('not_found', `there is no file ${artifact}`)
  const limited = bounded(chunks, artifact, MAX_ARTIFACT_BYTES)
  const { content, ...digests } = await spool.take(limited, MAX_CONTENT_BYTES)
  return {
    artifact,
    ...digests,
    ...encoded('sums', sums),
    ...encoded('sums_signature', sumsSignature),
    ...encoded('artifact_signature', signature),
    ...encoded('content', isLegacy(signature) ? content : undefined),
  }
}

function encoded(name: string, bytes: Uint8Array | undefined): { readonly [name: string]: string } {
  return bytes === undefined ? {} : { [name]: toBase64url(bytes) }
}

/** Only then the file itself is needed. */
function isLegacy(file: Uint8Array | undefined): boolean {
  const signature = file === undefined ? undefined : readSignature(file)
  return signature !== undefined && 'algorithm' in signature && signature.algorithm === 'legacy'
}

/** What `policies/release/verify.rego` answers. */
interface Output {
  readonly checks?: readonly { readonly ok: boolean; readonly what: string }[]
  readonly key_id?: string
  readonly stated?: { readonly version?: string }
}

function report(
  { allow, id, index, output, reasons }: Decision,
  about: {
    readonly artifact: string
    readonly sha256: string
    readonly installed: string | undefined
  },
  out: Out,
): void {
  const { checks = [], key_id, stated } = (output ?? {}) as Output
  const { artifact, sha256 } = about
  const installed = allow ? about.installed : undefined
  const value = {
    ok: allow,
    id,
    index,
    artifact,
    sha256,
    reasons,
    checks,
    key_id,
    stated,
    installed,
  }
  const lines = checks.map(({ ok, what }) => `${ok ? 'ok  ' : 'FAIL'} ${what.replaceAll('_', ' ')}`)
  const verdict = allow
    ? `${out.colour('green', 'released')}: ${artifact}${version(stated)}, signed by ${key_id}`
    : `${out.colour('red', 'NOT A RELEASE')}: ${reasons.map(({ code, message }) => `${code}: ${message}`).join('; ')}`
  const ending = installed === undefined ? [] : [`installed as ${installed}`]
  const log = `decision ${id}, leaf ${index}`
  out.answer(value, printable([...lines, verdict, ...ending, log].join('\n')))
}

const version = (stated: Output['stated']): string =>
  stated?.version === undefined ? '' : ` ${stated.version}`

/** 0: pinned, or pinned before. */
export function pin(options: PlaceOptions, out: Out, key: string): Promise<ExitCode> {
  return about('release.pin', options, out, async () => ({ public_key: await keyOf(key) }))
}

/** 0: nothing that it signed counts any more. */
export function drop(options: PlaceOptions, out: Out, key: string): Promise<ExitCode> {
  return about('release.drop', options, out, async () => ({ public_key: await keyOf(key) }))
}

export interface HandOverOptions extends PlaceOptions {
  /** Default: beside the key file. */
  readonly signature?: string
}

/** 0: the key in the file is pinned in the place of the one that signed the file. */
export function handOver(options: HandOverOptions, out: Out, file: string): Promise<ExitCode> {
  const { signature = `${file}.minisig` } = options
  return about('release.hand-over', options, out, async () => ({
    public_key_file: toBase64url(await bytesOf(file, 'the new public key')),
    signature: toBase64url(await bytesOf(signature, 'its signature')),
  }))
}

export interface InstallerOptions {
  readonly key: readonly string[]
  readonly from?: string
  readonly artifact?: string
  readonly prehashedOnly?: boolean
}

/** Prints the script. */
export async function printInstaller(options: InstallerOptions, out: Out): Promise<ExitCode> {
  const { installer } = await import('./release/installer.ts')
  const { artifact, from, key, prehashedOnly = false } = options
  const keys = await Promise.all(key.map(keyOf))
  const script = await installer({ artifact, from, keys, legacy: !prehashedOnly })
  out.answer({ script }, script)
  return 0
}

async function about(
  action: string,
  options: PlaceOptions,
  out: Out,
  payload: () => Promise<object>,
): Promise<ExitCode> {
  const question = await payload()
  const { allow, id, index, reasons } = await asking(options, (ask) => ask(action, question))
  const value = { allow, id, index, reasons }
  out.answer(value, `${words(allow, reasons, out)}\ndecision ${id}, leaf ${index}`)
  return allow ? 0 : 1
}
