/** Opens the encryption of a folder of keys, starts it in an empty one, and changes it: killed at any point, the folder opens with the old secret or the new one. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { KEY_SCOPES } from '../../../core/ports/custody.ts'
import { guarded, refuse } from './failure.ts'
import {
  type FolderKey,
  type HeaderKey,
  headerStamp,
  newHeader,
  openHeader,
  writeHeader,
} from './header.ts'
import { KeyFiles } from './keyfiles.ts'
import { exclusively } from './lock.ts'
import type { SecretFiles } from './secret.ts'

/**
 * What the folder's files are sealed with; undefined when they are not and no secret is given. An empty folder becomes an encrypted one. What
 * a change of the secret left undone is done.
 *
 * @throws CustodyError `misconfigured`: keys that are not encrypted although there is a secret, or the other way round; `denied`: another secret
 */
export async function folderKeyOf(
  folder: string,
  secret: SecretFiles,
  lockWaitMs: number,
): Promise<FolderKey | undefined> {
  if (secret.keyFile !== undefined && secret.passphraseFile !== undefined)
    throw refuse('misconfigured', 'name a passphraseFile or a keyFile, not both')
  if (headerStamp(folder) === undefined) {
    if (!isGiven(secret)) return undefined
    const made = await newHeader(secret)
    exclusively(folder, lockWaitMs, () => {
      if (headerStamp(folder) !== undefined) return
      if (holdsKeys(folder))
        throw refuse(
          'misconfigured',
          `the keys in ${folder} are not encrypted: encrypt them first, or name no secret`,
        )
      writeHeader(folder, made.settled)
    })
  }
  const found = await openHeader(folder, secret)
  if (found.settled === undefined) return found
  return exclusively(folder, lockWaitMs, () => finish(folder, found))
}

export interface Reencryption {
  readonly dir: string
  /** What opens it now; nothing for a folder that is not encrypted. */
  readonly from: SecretFiles
  /** What opens it afterwards. */
  readonly to: SecretFiles
  readonly lockWaitMs?: number
}

/**
 * Encrypts every key of a folder anew: under another passphrase or key file, or for the first time. Who has the folder open has to open it again.
 * Killed half-way, the folder opens with `to` as soon as anything was changed, and the rest is done then.
 *
 * @throws CustodyError as {@link folderKeyOf}
 */
export async function reencryptKeys(options: Reencryption): Promise<void> {
  const { dir, from, lockWaitMs = 5000, to } = options
  if (!isGiven(to))
    throw refuse('misconfigured', 'name the passphraseFile or keyFile to encrypt with')
  if (!existsSync(dir)) throw refuse('misconfigured', `there is no folder ${dir}`)
  const before = await folderKeyOf(dir, from, lockWaitMs)
  const previous = before?.key ?? 'plain'
  const { bytes, key, settled } = await newHeader(to, previous)
  exclusively(dir, lockWaitMs, () => {
    if (headerStamp(dir) !== before?.stamp)
      throw refuse('unavailable', `${dir} was encrypted by somebody else; try again`)
    // From here on the new secret opens it.
    const stamp = writeHeader(dir, bytes)
    finish(dir, { key, previous, settled, stamp })
  })
}

/** Seals with the new key what is sealed with the old one; the old one is forgotten when no file needs it. */
function finish(folder: string, found: HeaderKey): FolderKey {
  const { key, settled, stamp } = found
  if (settled === undefined || headerStamp(folder) !== stamp)
    throw refuse('unavailable', `${folder} was encrypted by somebody else; try again`)
  const files = new KeyFiles(folder, KEY_SCOPES, found)
  files.sweep()
  for (const ref of files.loadAll()) files.write(ref, files.load(ref))
  files.forget()
  return { key, stamp: writeHeader(folder, settled) }
}

const isGiven = ({ keyFile, passphraseFile }: SecretFiles): boolean =>
  keyFile !== undefined || passphraseFile !== undefined

/** Of any scope, also one that is not served. */
function holdsKeys(folder: string): boolean {
  return KEY_SCOPES.some((scope) =>
    guarded(folder, () => {
      const place = join(folder, scope)
      return existsSync(place) && readdirSync(place).some((name) => name.endsWith('.json'))
    }),
  )
}
