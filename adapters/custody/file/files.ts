/** Files that hold secrets: only their owner may enter the folder, read the file, or replace it by a link. */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { guarded, refuse } from './failure.ts'

/** No key file is longer. */
const MAX_BYTES = 4096
/** Bits of a mode that anybody but the owner has. */
const OTHERS = 0o077n

/** Tells two states of a file apart without reading it. */
export type Stamp = string

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Stamp {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

function checkOwner(path: string, stats: BigIntStats): void {
  // Where there are no owners nothing can be checked, so nothing is trusted.
  const me = process.geteuid?.()
  if (me === undefined || stats.uid !== BigInt(me))
    throw refuse(
      'insecure_permissions',
      `${path} is not owned by the user of this process; chown it`,
    )
  if ((stats.mode & OTHERS) !== 0n)
    throw refuse('insecure_permissions', `${path} is open to others; chmod go= it`)
}

function checkFile(path: string, stats: BigIntStats): void {
  if (!stats.isFile())
    throw refuse('insecure_permissions', `${path} is not a plain file; remove it`)
  if ((stats.mode & 0o111n) !== 0n)
    throw refuse('insecure_permissions', `${path} is executable; chmod 600 it`)
  checkOwner(path, stats)
}

/** @throws CustodyError `insecure_permissions` */
export function checkFolder(path: string): void {
  guarded(path, () => {
    const stats = lstatSync(path, { bigint: true })
    if (!stats.isDirectory())
      throw refuse('insecure_permissions', `${path} is a link or a file; make it a folder`)
    checkOwner(path, stats)
  })
}

/** Makes the folder, mode 0700, unless it is there. @throws CustodyError `insecure_permissions` */
export function makeFolder(path: string): void {
  guarded(path, () => {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(path))
  })
  checkFolder(path)
}

/** Undefined when there is no such file. @throws CustodyError `insecure_permissions` */
export function stampAt(path: string): Stamp | undefined {
  return guarded(path, () => {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (!stats) return undefined
    checkFile(path, stats)
    return stampOf(stats)
  })
}

/** The file's bytes and their stamp. @throws CustodyError `insecure_permissions`, `corrupt` when it is too long */
export function readSecret(path: string): { readonly bytes: Uint8Array; readonly stamp: Stamp } {
  return guarded(path, () => {
    // Not blocking: somebody may have put a pipe there.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = fstatSync(file, { bigint: true })
      checkFile(path, stats)
      const bytes = new Uint8Array(MAX_BYTES + 1)
      const length = readSync(file, bytes, 0, bytes.length, 0)
      if (length > MAX_BYTES) throw refuse('corrupt', `${path} is too long for a key; restore it`)
      return { bytes: bytes.subarray(0, length), stamp: stampOf(stats) }
    } finally {
      closeSync(file)
    }
  })
}

/** Puts the whole file there, mode 0600, durable when it returns: a crash leaves the old one or the new one. */
export function writeSecret(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name)
  const temporary = join(folder, temporaryName(name))
  guarded(path, () => {
    rmSync(temporary, { force: true })
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
    const file = openSync(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600)
    try {
      // Until all of it is there: a disk that is nearly full takes a part.
      writeFileSync(file, bytes)
      fsyncSync(file)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    syncFolder(folder)
  })
}

function temporaryName(name: string): string {
  return `.${name}.new`
}
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.new')
}

function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
