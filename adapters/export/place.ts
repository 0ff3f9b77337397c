/**
 * An exporter's place in the log: the index of the next leaf to send, in a file that is replaced as a whole. Written after the receiver
 * took a batch, so after a crash at most that batch is sent again.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { ConfigError } from '../../core/error.ts'

export interface Place {
  /** The log's name: a place in another log means nothing. */
  readonly origin: string
  readonly position: bigint
}

/** The beginning of the log where there is no file yet. @throws ConfigError `invalid_config` */
export async function readPlace(file: string, origin: string): Promise<Place> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { origin, position: 0n }
    throw invalid(file, 'it cannot be read')
  }
  const found = parsed(text)
  if (found === undefined) throw invalid(file, 'it is damaged; remove it to send everything again')
  if (found.origin !== origin)
    throw invalid(file, 'it is a place in another log; remove it, or name the exporter otherwise')
  return found
}

function parsed(text: string): Place | undefined {
  try {
    const { origin, position } = JSON.parse(text) as { origin: unknown; position: unknown }
    if (typeof origin !== 'string' || typeof position !== 'string') return undefined
    return /^(?:0|[1-9]\d{0,19})$/.test(position)
      ? { origin, position: BigInt(position) }
      : undefined
  } catch {
    return undefined
  }
}

export async function writePlace(file: string, { origin, position }: Place): Promise<void> {
  const next = `${file}.next`
  const handle = await open(next, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify({ origin, position: position.toString() })}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, file)
}

function invalid(file: string, why: string): ConfigError {
  return new ConfigError('invalid_config', `export: ${file}: ${why}`)
}
