/** Checkpoints: the signed text that says how large a log is and what its root is. @see https://c2sp.org/tlog-checkpoint */
import { fromBase64, toBase64 } from '../crypto.ts'
import { LogError } from '../error.ts'
import { HASH_BYTES } from './tiles.ts'

export interface Checkpoint {
  /** The log's name. */
  readonly origin: string
  readonly size: bigint
  readonly root: Uint8Array
  /** Lines after the root; signed, and meaningless here. */
  readonly extensions?: readonly string[]
}

/** A decimal without sign, space or leading zero, at most 2^63-1; else undefined. */
export function parseDecimal(text: string): bigint | undefined {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) return undefined
  const value = BigInt(text)
  return value < 2n ** 63n ? value : undefined
}

/** The text to sign, with its final line feed. @throws LogError `malformed`: an origin or an extension that is no line */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  const lines = [origin, size.toString(), toBase64(root), ...extensions]
  if (lines.some((line) => line === '' || line.includes('\n')))
    throw new LogError('log/checkpoint', 'malformed', 'an origin or extension is one line')
  return `${lines.join('\n')}\n`
}

/** Reads the text of a note. Whether anybody signed it is another question. @throws LogError `malformed` */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.length < 3 || lines.includes(''))
    throw new LogError('log/checkpoint', 'malformed', 'a checkpoint has three full lines or more')
  const [origin, decimal, encoded, ...extensions] = lines as [string, string, string]
  const size = parseDecimal(decimal)
  const root = fromBase64(encoded)
  if (size === undefined || root?.length !== HASH_BYTES)
    throw new LogError('log/checkpoint', 'malformed', 'a size in decimal, then a root in base64')
  return { origin, size, root, ...(extensions.length > 0 ? { extensions } : {}) }
}
