/**
 * What a trusted comment says by convention: `timestamp:N file:NAME version:V`, separated by tabs, as minisign writes it, or else by
 * spaces. Words that are none of these are left alone.
 */
import { readVersion, type Version } from './version.ts'

export interface CommentFields {
  readonly file?: string
  /** Unix seconds. */
  readonly timestamp?: number
  readonly version?: Version
  /** Said twice, or in a form that cannot be read; such a field is left out above. Sorted. */
  readonly unclear: readonly CommentField[]
}
export type CommentField = 'file' | 'timestamp' | 'version'

const decoder = new TextDecoder()

/** For people and for the log; bytes that are not UTF-8 become U+FFFD. Not what is signed. */
export function commentText(trustedComment: Uint8Array): string {
  return decoder.decode(trustedComment)
}

export function readComment(text: string): CommentFields {
  const words = text.split(text.includes('\t') ? '\t' : ' ')
  const values = (name: CommentField): readonly string[] =>
    words.filter((word) => word.startsWith(`${name}:`)).map((word) => word.slice(name.length + 1))
  const read = {
    file: one(values('file'), (file) => file || undefined),
    timestamp: one(values('timestamp'), readTimestamp),
    version: one(values('version'), readVersion),
  }
  const unclear = (['file', 'timestamp', 'version'] as const).filter(
    (name) => values(name).length > 0 && read[name] === undefined,
  )
  const { file, timestamp, version } = read
  return {
    ...(file === undefined ? {} : { file }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(version === undefined ? {} : { version }),
    unclear,
  }
}

function one<T>(values: readonly string[], read: (text: string) => T | undefined): T | undefined {
  const [value, second] = values
  return value === undefined || second !== undefined ? undefined : read(value)
}

function readTimestamp(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined
}
