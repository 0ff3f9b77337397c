/** `assay fsck`: every leaf, every tile and the signed root, with nothing but a trust anchor. */
import { Adapters } from '../adapters/compose.ts'
import { parseAnchor } from '../core/log/anchor.ts'
import { type FsckReport, fsck as verifyLog } from '../core/log/fsck.ts'
import type { LogReader } from '../core/log/reader.ts'
import { logReader, publishedHead } from '../core/log/reader.ts'
import { bytesOf, configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable } from './out.ts'
import { remoteLog } from './remote.ts'

export interface FsckOptions extends PlaceOptions {
  readonly trust: string
  readonly url?: string
}

/** 0: the log is what it says, 1: it is not. */
export async function fsck(options: FsckOptions, out: Out): Promise<ExitCode> {
  const anchor = parseAnchor(await bytesOf(options.trust, 'the trust anchor'))
  const check = (reader: LogReader): Promise<FsckReport> =>
    verifyLog(reader, anchor, {
      onProgress: (done, size) => out.progress(`${done} of ${size} leaves`),
    })
  const report =
    options.url === undefined ? await inFolder(options, check) : await check(remoteLog(options.url))
  tellReport(report, out)
  return report.ok ? 0 : 1
}

async function inFolder(
  options: PlaceOptions,
  check: (reader: LogReader) => Promise<FsckReport>,
): Promise<FsckReport> {
  const adapters = new Adapters(await configured(options), { readOnly: true })
  try {
    const { log } = await adapters.get('store')
    // Read once: a server beside may publish the next.
    const head = await publishedHead(log)
    return await check(logReader(log, () => head))
  } finally {
    await adapters.close()
  }
}

export function tellReport(
  { decisions, head, leaves, ok, problems, tiles }: FsckReport,
  out: Out,
): void {
  const value = {
    ok,
    origin: head?.origin,
    size: head?.size.toString(),
    leaves: leaves.toString(),
    decisions: decisions.toString(),
    tiles,
    problems,
  }
  const lines = problems.map(({ code, detail, where }) =>
    printable(`FAIL ${where}: ${code}: ${detail}`),
  )
  const counts = `${leaves} leaves, ${decisions} of them decisions, ${tiles} tiles`
  const verdict = ok ? out.colour('green', 'valid') : out.colour('red', 'INVALID')
  out.answer(value, [...lines, `${verdict}: ${counts}${head ? `, ${head.origin}` : ''}`].join('\n'))
}
