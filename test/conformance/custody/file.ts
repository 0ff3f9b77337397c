/** The file custody as a subject: of its own conformance test, and what the mutants are made of. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openFileCustody, type SecretFiles } from '../../../adapters/custody/file/index.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import { reopened } from './reopened.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from './subject.ts'

/**
 * @param changed what the laws are tried on in place of a custody: for mutants
 * @param secretOf what encrypts the keys, by the folder that it may lie in
 */
export async function openFolder(
  changed: (custody: Custody, dir: string) => Custody = (custody) => custody,
  secretOf: (folder: string) => SecretFiles = () => ({}),
): Promise<OpenedCustody> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-keys-'))
  const dir = join(folder, 'keys')
  const secret = secretOf(folder)
  const open = async (): Promise<Custody> =>
    changed(await openFileCustody({ dir, scopes: SCOPES, lockWaitMs: 300, ...secret }), dir)
  return await reopened(open, {
    stall: async () => holdLock(dir),
    dispose: async () => rmSync(folder, { recursive: true }),
  })
}

/** As a process does that is stopped in the middle of a change. Returns what ends it. */
export function holdLock(dir: string): () => Promise<void> {
  const lock = new DatabaseSync(join(dir, '.lock'))
  lock.exec('BEGIN EXCLUSIVE')
  return async () => lock.close()
}

export const fileSubject: CustodySubject = {
  name: 'custody/file',
  algorithms: ['ed25519', 'ecdsa-p256'],
  open: () => openFolder(),
}

export const encryptedSubject: CustodySubject = {
  ...fileSubject,
  name: 'custody/file (encrypted)',
  open: () => openFolder(undefined, keyFileIn),
}

/** 32 bytes in a file of the folder. */
export function keyFileIn(folder: string): { readonly keyFile: string } {
  const keyFile = join(folder, 'key-file')
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 })
  return { keyFile }
}
