/** Secrets in files: one value a file, read by its owner alone, always encrypted. For one machine. */
import { resolve } from 'node:path'
import type { Secrets } from '../../../core/ports/secrets.ts'
import { folderKeyOf } from '../../custody/file/encryption.ts'
import { makeFolder } from '../../custody/file/files.ts'
import type { SecretFiles } from '../../custody/file/secret.ts'
import { refuse } from './failure.ts'
import { FileSecrets } from './secrets.ts'

export interface FileSecretsOptions extends SecretFiles {
  /** Holds `<name>.<version>.json`. Made with mode 0700 when it is absent; of its own, not that of the keys. */
  readonly dir: string
  /** How long a change may wait for that of another process, which takes milliseconds. Default 5000; the process is blocked meanwhile. */
  readonly lockWaitMs?: number
}

/**
 * Opens the folder and looks into every file. Owner and mode of folder and files are checked now and at each use.
 *
 * @throws CustodyError `misconfigured`: no passphraseFile and no keyFile, or both; `denied`: another one than the folder has;
 *   `insecure_permissions`: a folder or file that others may use, or a link; `corrupt`; `unavailable`: the file system
 */
export async function openFileSecrets(options: FileSecretsOptions): Promise<Secrets> {
  const { dir, keyFile, lockWaitMs = 5000, passphraseFile } = options
  if (keyFile === undefined && passphraseFile === undefined)
    throw refuse(
      'misconfigured',
      'secrets are encrypted always: name a passphraseFile or a keyFile',
    )
  const folder = resolve(dir)
  makeFolder(folder)
  const folderKey = await folderKeyOf(folder, { keyFile, passphraseFile }, lockWaitMs)
  if (folderKey === undefined) throw refuse('misconfigured', `${folder} is not encrypted`)
  return new FileSecrets(folder, folderKey, lockWaitMs)
}
