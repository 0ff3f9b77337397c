/** The trust anchor that a server writes into its data folder: a convenience for development, since whoever runs the server wrote it. */
import { readFile } from 'node:fs/promises'
import { LogError } from '../../core/error.ts'
import { formatAnchor, parseAnchor, type TrustAnchor } from '../../core/log/anchor.ts'
import { formatVkey } from '../../core/log/note.ts'
import { fileError, replaceFile } from './folder.ts'

export function developmentAnchor(origin: string, publicKey: Uint8Array): TrustAnchor {
  return {
    type: 'assay.trust/v1',
    origin,
    keys: [{ vkey: formatVkey(origin, publicKey), from: '0' }],
    development: true,
    note: 'Written by the server itself, for development. A verifier who trusts nobody obtains the anchor out of band.',
  }
}

/** Whether the anchor has the key without an end. */
export function signsNow(
  { keys, origin }: TrustAnchor,
  { publicKey }: { readonly publicKey: Uint8Array },
): boolean {
  const own = formatVkey(origin, publicKey)
  return keys.some(({ to, vkey }) => to === undefined && vkey === own)
}

/** Undefined when there is none yet. @throws LogError `malformed`, `weak_key` */
export async function readAnchor(path: string): Promise<TrustAnchor | undefined> {
  let text: Uint8Array
  try {
    text = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fileError(error, path)
  }
  return parseAnchor(text)
}

/**
 * Writes the anchor at first start; later it must name this log and this key, and have no end for it.
 *
 * @throws LogError `conflict` when it does not: heads signed now could not be verified with it
 */
export async function ensureAnchor(
  path: string,
  written: TrustAnchor | undefined,
  now: TrustAnchor,
): Promise<TrustAnchor> {
  if (written === undefined) {
    await replaceFile(path, formatAnchor(now))
    return now
  }
  const [key] = now.keys
  const trusted = written.keys.some(({ to, vkey }) => to === undefined && vkey === key?.vkey)
  if (written.origin !== now.origin || !trusted)
    throw new LogError(
      'data',
      'conflict',
      `${path} is about another log or another key: restore it or the keys that belong to it, or start in an empty folder; assay log rotate-key is how a key is replaced`,
    )
  return written
}
