/** The data folder: made for its owner alone, and files in it replaced as a whole or not at all. */
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { StoreError, type StoreErrorCode } from '../../core/error.ts'

const WHO = 'data'
const CODES: Readonly<Record<string, StoreErrorCode>> = {
  EROFS: 'read_only',
  EACCES: 'read_only',
  EPERM: 'read_only',
  ENOSPC: 'full',
  EDQUOT: 'full',
}

/** What the system says, as an error that names the file and the way out. */
export function fileError(error: unknown, path: string): StoreError {
  const system = (error as NodeJS.ErrnoException).code ?? 'unknown'
  const code = CODES[system] ?? 'unavailable'
  const wayOut =
    code === 'full'
      ? 'free some space'
      : code === 'read_only'
        ? 'give --data a folder that you may write to'
        : 'give --data another folder'
  return new StoreError(WHO, code, `${path} cannot be written (${system}); ${wayOut}`, {
    cause: error,
  })
}

/** Makes the folder, mode 0700, unless it is there. @throws StoreError `read_only`, `full`, `unavailable` */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Durable when it returns. @throws StoreError `read_only`, `full`, `unavailable` */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${process.pid}.tmp`)
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    const folder = await open(dirname(path))
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw fileError(error, path)
  }
}

/** For keys that must not outlive the process; after a crash the system clears it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'assay-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
