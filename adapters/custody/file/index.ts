/** Custody in files: one private key a file, read by its owner alone, and encrypted where there is a passphrase or a key file. For one machine. */

import { resolve } from 'node:path'
import { checkScopes } from '../../../core/keyref.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { type Custody, KEY_SCOPES, type KeyScope } from '../../../core/ports/custody.ts'
import { FileCustody } from './custody.ts'
import { folderKeyOf } from './encryption.ts'
import { NAME } from './failure.ts'
import { makeFolder } from './files.ts'
import type { SecretFiles } from './secret.ts'

export { type Reencryption, reencryptKeys } from './encryption.ts'
export type { SecretFiles } from './secret.ts'

/** With one of {@link SecretFiles}' members the keys are encrypted; without, a stolen disk is a stolen key. */
export interface FileCustodyOptions extends SecretFiles {
  /** Holds `<scope>/<name>.<version>.json`. Made with mode 0700 when it is absent. */
  readonly dir: string
  /** Default: all scopes. Folders of other scopes are not looked at. */
  readonly scopes?: readonly KeyScope[]
  /** For the date in a new key's file; without it there is none. */
  readonly clock?: Clock
  /** How long a change may wait for that of another process, which takes milliseconds. Default 5000; the process is blocked meanwhile. */
  readonly lockWaitMs?: number
}

/**
 * Opens the folder and reads every key of the scopes that it serves.
 *
 * Owner and mode of folders and files are checked now and at each use, and a file that another process changed is read again: a
 * revocation counts at once. Not safe against the user that the process runs as, nor against root.
 *
 * @throws CustodyError `insecure_permissions`: a folder or file that others may use, or a link; `weak_key`, `corrupt`: a file's content;
 *   `denied`: another passphrase or key file; `misconfigured`: none although it is encrypted, or one although it is not; `duplicate_key`: one key in two files; `scope_mismatch`: a scope that does not exist; `unavailable`: the file system
 */
export async function openFileCustody(options: FileCustodyOptions): Promise<Custody> {
  const { dir, scopes = KEY_SCOPES, clock, lockWaitMs = 5000 } = options
  checkScopes(NAME, scopes)
  const folder = resolve(dir)
  makeFolder(folder)
  const { keyFile, passphraseFile } = options
  const folderKey = await folderKeyOf(folder, { keyFile, passphraseFile }, lockWaitMs)
  return new FileCustody(folder, { scopes, clock, folderKey, lockWaitMs })
}
