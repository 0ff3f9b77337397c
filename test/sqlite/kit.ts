/** What the tests of the SQLite store share: folders, raw access to the file, and other processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach } from 'vitest'
import { openSqlite, type SqliteOptions } from '../../adapters/store/sqlite/index.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Outcome, Store } from '../../core/ports/store.ts'

/** Nobody, on every Unix. */
export const NOBODY = '65534'

export interface Pair {
  readonly store: Store
  readonly log: LogStore
}

/** Undone after each test, last first. */
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
export function afterwards(step: () => unknown): void {
  undo.push(step)
}

/** The path of a database that is not there yet, in a folder that everybody may enter. */
export function newPath(): string {
  const outer = mkdtempSync(join(tmpdir(), 'assay-sqlite-'))
  chmodSync(outer, 0o755)
  const folder = join(outer, 'data')
  mkdirSync(folder)
  afterwards(() => {
    chmodSync(folder, 0o755)
    rmSync(outer, { recursive: true })
  })
  return join(folder, 'assay.db')
}

/** Opens a pair, closed after the test unless {@link close} did. */
export async function open(path: string, options: Omit<SqliteOptions, 'path'> = {}): Promise<Pair> {
  const pair = await openSqlite({ path, ...options })
  afterwards(() => close(pair))
  return pair
}

export async function close({ store, log }: Pair): Promise<void> {
  await store.close()
  await log.close()
}

/** Changes a closed database behind the adapter's back. */
export function tamper(path: string, ...statements: readonly string[]): void {
  const raw = new DatabaseSync(path)
  try {
    for (const statement of statements) raw.exec(statement)
  } finally {
    raw.close()
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** One batch for each leaf, in one commit. */
export function append({ store }: Pair, ...leaves: readonly string[]): Promise<readonly Outcome[]> {
  return store.commit(leaves.map((leaf) => ({ writes: [], leaf: bytes(leaf) })))
}

export interface Child {
  readonly process: ChildProcess
  /** Every line so far. */
  readonly lines: unknown[]
  /** Resolves when the process prints `open`. */
  opened(): Promise<void>
  /** Resolves when it has ended. */
  ended(): Promise<unknown[]>
}

const program = join(import.meta.dirname, 'child.ts')

/** Starts `child.ts`. `limit`: no file may grow over so many KiB. */
export function start(verb: string, path: string, uid?: string, limit?: number): Child {
  const args = [program, verb, path, ...(uid === undefined ? [] : [uid])]
  const shell = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`
  const child =
    limit === undefined
      ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('bash', ['-c', shell, process.execPath, ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
  const lines: unknown[] = []
  const closed = once(child, 'close')
  let announce = (): void => undefined
  const opening = new Promise<void>((resolve) => {
    announce = resolve
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value = parse(line)
    if (value === undefined) return
    lines.push(value)
    if (value === 'open') announce()
  })
  afterwards(() => child.kill('SIGKILL'))
  return {
    process: child,
    lines,
    opened: () => Promise.race([opening, closed.then(() => Promise.reject(new Error('it ended')))]),
    ended: () => closed.then(() => lines),
  }
}

/** Undefined for a line that a kill cut off. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export function runChild(
  verb: string,
  path: string,
  uid?: string,
  limit?: number,
): Promise<unknown[]> {
  return start(verb, path, uid, limit).ended()
}
