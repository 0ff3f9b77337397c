/** The newest signed head, as the log shows it. */
import type { LogReader } from '../../core/kernel.ts'
import { parseCheckpoint } from '../../core/log/checkpoint.ts'
import { parseNote } from '../../core/log/note.ts'
import type { Head } from '../../core/seal.ts'

export async function publishedHead(log: Pick<LogReader, 'checkpoint'>): Promise<Head | undefined> {
  const note = await log.checkpoint()
  if (note === undefined) return undefined
  const { size, root } = parseCheckpoint(parseNote(note).text)
  return { size, root, note }
}
