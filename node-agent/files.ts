/** Files that are there whole or not at all, after a crash too. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { randomBytes, toHex } from '../core/crypto.ts'
import { NodeAgentError } from './error.ts'

/** Ends the names of files that are not complete yet. */
const PARTIAL = '.partial'

/** Bits of a mode with which somebody else changes what is in a folder. */
const OTHERS_WRITE = 0o022

/**
 * A folder that only its owner may look into, free of what a crash left.
 * @throws NodeAgentError `misconfigured`: somebody else could say what is in it; `unavailable`
 */
export function openFolder(path: string): void {
  attempt(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    checkFolder(path)
    for (const name of readdirSync(path))
      if (name.endsWith(PARTIAL)) rmSync(join(path, name), { force: true })
  })
}

/** What lies there is believed: sets and marks of used tasks have no signature of their own. */
function checkFolder(path: string): void {
  const stats = lstatSync(path)
  // Where there are no owners there is nothing to compare.
  const me = process.geteuid?.() ?? stats.uid
  if (stats.isDirectory() && stats.uid === me && (stats.mode & OTHERS_WRITE) === 0) return
  throw new NodeAgentError(
    'node-agent',
    'misconfigured',
    `${path} is a link, or others may write into it; make it a folder of this user, mode 700`,
  )
}

export function namesIn(folder: string): readonly string[] {
  return attempt(folder, () => readdirSync(folder))
}

/** Undefined where there is none. */
export function readIfThere(path: string): string | undefined {
  return attempt(path, () => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  })
}

/** False where somebody else made it first: then nothing has changed. True once it is on disk. */
export function createOnce(folder: string, name: string, content: string): boolean {
  return attempt(folder, () => {
    const partial = written(folder, content)
    try {
      linkSync(partial, join(folder, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      unlinkSync(partial)
    }
    syncFolder(folder)
    return true
  })
}

/** Takes the place of what was there. */
export function replace(folder: string, name: string, content: string): void {
  attempt(folder, () => {
    renameSync(written(folder, content), join(folder, name))
    syncFolder(folder)
  })
}

export function removeAll(folder: string, names: readonly string[]): void {
  attempt(folder, () => {
    for (const name of names) rmSync(join(folder, name), { force: true })
  })
}

function written(folder: string, content: string): string {
  const partial = join(folder, `${toHex(randomBytes(8))}${PARTIAL}`)
  const file = openSync(partial, 'wx', 0o600)
  try {
    // Until all of it is there: a disk that is nearly full takes a part.
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return partial
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof NodeAgentError) throw cause
    const { code = 'an error' } = cause as NodeJS.ErrnoException
    throw new NodeAgentError('node-agent', 'unavailable', `${path}: ${code}; see its disk`, {
      cause,
    })
  }
}
