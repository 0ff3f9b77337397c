/** `assay log`: look into decisions, and keep the log itself: its key, its copies, its file. */
import {
  archiveLog,
  compactLog,
  type RestoreOptions,
  restoreLog,
  rotateLogKey,
} from '../adapters/compose-log.ts'
import { parseAnchor } from '../core/log/anchor.ts'
import { formatVkey } from '../core/log/note.ts'
import type { KeyAlgorithm } from '../core/ports/custody.ts'
import { tellReport } from './fsck.ts'
import { bytesOf, configured, type PlaceOptions, shown } from './input.ts'
import { type ExitCode, type Out, UsageError } from './out.ts'

export interface RotateOptions extends PlaceOptions {
  readonly compromisedSince?: string
  readonly algorithm?: KeyAlgorithm
}

export async function rotateKey(options: RotateOptions, out: Out): Promise<ExitCode> {
  const config = await configured(options)
  const { algorithm, compromisedSince: since } = options
  const done = await rotateLogKey(config, {
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(since === undefined ? {} : { compromisedSince: sizeOf(since) }),
  })
  const { anchor, lastTrustedSize, next, noteFile, retired, size } = done
  const vkey = formatVkey(anchor.origin, next.publicKey)
  out.answer(
    {
      retired: retired.version,
      next: next.version,
      vkey,
      size: size.toString(),
      lastTrustedSize: lastTrustedSize.toString(),
      checkpoint: noteFile,
    },
    [
      `version ${next.version} of key ${next.name} signs heads from size ${size} on`,
      `version ${retired.version} of key ${retired.name} counts up to size ${lastTrustedSize}`,
      `new key: ${vkey}`,
      `Give verifiers the new anchor, and ${shown(noteFile)} as its proof.`,
    ].join('\n'),
  )
  return 0
}

export interface ArchiveVerbOptions extends PlaceOptions {
  readonly to: string
  readonly keys?: boolean
}

export async function archive(options: ArchiveVerbOptions, out: Out): Promise<ExitCode> {
  const { keys = false, to } = options
  await archiveLog(await configured(options), to, { keys })
  const text = `${shown(to)} holds the log${keys ? ', and its private keys: guard it like them' : ', without its keys'}`
  out.answer({ archive: to, keys }, text)
  return 0
}

export interface RestoreVerbOptions extends PlaceOptions {
  readonly from: string
  readonly trust: string
  readonly expect?: string
}

/** 0: restored, 1: the archive is not sound, or an older one than expected, and nothing was written. */
export async function restore(options: RestoreVerbOptions, out: Out): Promise<ExitCode> {
  const { expect, from, trust } = options
  const wanted: RestoreOptions = {
    from,
    anchor: parseAnchor(await bytesOf(trust, 'the trust anchor')),
    ...(expect === undefined ? {} : { expect: await bytesOf(expect, 'the known checkpoint') }),
  }
  const config = await configured(options)
  const report = await restoreLog(config, wanted)
  tellReport(report, out)
  if (report.ok && expect === undefined)
    out.note('No checkpoint was expected: whether newer decisions are missing is not known.')
  return report.ok ? 0 : 1
}

export async function compact(options: PlaceOptions, out: Out): Promise<ExitCode> {
  const config = await configured(options)
  await compactLog(config)
  out.answer({ compacted: config.data }, `${shown(config.data)} was written anew`)
  return 0
}

function sizeOf(text: string): bigint {
  if (/^(?:0|[1-9][0-9]{0,17})$/.test(text)) return BigInt(text)
  throw new UsageError('usage', '--compromised-since is a number of leaves')
}
