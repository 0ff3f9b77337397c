/** What a log shows of itself under its newest head: the reads of C2SP tlog-tiles. @see https://c2sp.org/tlog-tiles */
import type { LogStore } from '../ports/logstore.ts'
import type { Head } from '../seal.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { parseNote } from './note.ts'
import { deriveEntries, deriveTile } from './tiles.ts'

/** C2SP tlog-tiles: what a client reads. Undefined is "not found". */
export interface LogReader {
  checkpoint(): Promise<Uint8Array | undefined>
  /** `width` 1 to 256; 256 is the full tile. */
  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined>
  entries(index: bigint, width: number): Promise<Uint8Array | undefined>
}

/** Shows nothing beyond `head()`, however many leaves are there already. Each read throws StoreError. */
export function logReader(
  log: LogStore,
  head: () => { readonly size: bigint; readonly note: Uint8Array } | undefined,
): LogReader {
  const size = (): bigint => head()?.size ?? 0n
  return {
    checkpoint: async () => head()?.note.slice(),
    tile: (level, index, width) => deriveTile(log, size(), level, index, width),
    entries: (index, width) => deriveEntries(log, size(), index, width),
  }
}

/** What the newest checkpoint says; who signed it is another question. @throws LogError `malformed` */
export async function publishedHead(log: Pick<LogReader, 'checkpoint'>): Promise<Head | undefined> {
  const note = await log.checkpoint()
  if (note === undefined) return undefined
  const { size, root } = parseCheckpoint(parseNote(note).text)
  return { size, root, note }
}
