/**
 * An archive is a folder: the database, the trust anchor, the newest checkpoint, a list of what it holds, and the keys where they were asked
 * for. It appears as a whole or not at all, and so does the data folder that is made of one.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  copyFile,
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LogError, StoreError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { formatAnchor, type TrustAnchor } from '../../core/log/anchor.ts'
import { schema } from '../../core/schema.ts'
import { fileError } from './folder.ts'

const DATABASE = 'assay.db'
const ANCHOR = 'trust.json'
const CHECKPOINT = 'checkpoint'
const LIST = 'archive.json'
const KEYS = 'keys'

export interface ArchiveSource {
  /** Writes one moment of the database to a path where there is nothing yet. */
  readonly copyDatabase: (to: string) => void
  /** Of the copy. */
  readonly readCheckpoint: (database: string) => Promise<Uint8Array | undefined>
  readonly anchorFile: string
  /** Only when they were asked for: whoever has them can sign as this log. */
  readonly keysFolder?: string | undefined
}

/** @throws StoreError `unavailable`: there is something at `to` already, or it cannot be written */
export async function writeArchive(to: string, source: ArchiveSource): Promise<void> {
  await staged(resolve(to), async (folder) => {
    const database = join(folder, DATABASE)
    source.copyDatabase(database)
    await copyFile(source.anchorFile, join(folder, ANCHOR))
    const checkpoint = await source.readCheckpoint(database)
    if (checkpoint) await writeFile(join(folder, CHECKPOINT), checkpoint, { mode: 0o600 })
    if (source.keysFolder !== undefined)
      await cp(source.keysFolder, join(folder, KEYS), { recursive: true })
    const files = { [DATABASE]: await digest(database) }
    const list = { type: 'assay.archive/v1', files }
    await writeFile(join(folder, LIST), `${JSON.stringify(list, undefined, 2)}\n`, { mode: 0o600 })
  })
}

export interface ArchiveTarget {
  readonly from: string
  readonly data: string
  /** What `verify` trusts, and what the folder goes on with: whoever could write to the archive could write another one there. */
  readonly anchor: TrustAnchor
}

/**
 * Makes a data folder of an archive. `verify` is called with the copy, before it takes its place.
 *
 * @throws StoreError `unavailable`: there is something at `data`; `corrupt`: it is not what was archived; LogError `malformed`: no archive;
 *   what `verify` throws
 */
export async function readArchive(
  { anchor, data, from }: ArchiveTarget,
  verify: (database: string) => Promise<void>,
): Promise<void> {
  const expected = await listed(from)
  await staged(resolve(data), async (folder) => {
    const database = join(folder, DATABASE)
    await copyFile(join(from, DATABASE), database)
    if ((await digest(database)) !== expected)
      throw new StoreError('data', 'corrupt', `${join(from, DATABASE)} is not what was archived`)
    await writeFile(join(folder, ANCHOR), formatAnchor(anchor), { mode: 0o600 })
    if ((await readdir(from)).includes(KEYS))
      await cp(join(from, KEYS), join(folder, KEYS), { recursive: true })
    await verify(database)
  })
}

/** What `work` puts into a folder beside `path` gets that name at its end, durably; before that there is nothing of this name. */
async function staged(path: string, work: (folder: string) => Promise<void>): Promise<void> {
  await refuseTaken(path)
  const folder = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { mode: 0o700 })
    await work(folder)
    await syncAll(folder)
    // Onto an empty folder too; onto any other it fails.
    await rename(folder, path)
    await sync(dirname(path))
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof StoreError || error instanceof LogError) throw error
    throw fileError(error, path)
  }
}

async function refuseTaken(path: string): Promise<void> {
  const there = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw fileError(error, path)
  })
  if (there.length > 0)
    throw new StoreError('data', 'unavailable', `${path} is not empty; give another folder`)
}

async function syncAll(folder: string): Promise<void> {
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const at = join(folder, item.name)
    if (item.isDirectory()) await syncAll(at)
    else await sync(at)
  }
  await sync(folder)
}

async function sync(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return `sha256:${hash.digest('hex')}`
}

const sha256 = schema.string({ maxLength: 71, pattern: /^sha256:[0-9a-f]{64}$/ })
const listSchema = schema.object({
  type: schema.literal('assay.archive/v1'),
  files: schema.object({ [DATABASE]: sha256 }),
})

/** The digest of the database, as the archive says. */
async function listed(from: string): Promise<string> {
  const value = parseList(await readFile(join(from, LIST)).catch(() => new Uint8Array()))
  if (listSchema.problem(value, '') !== undefined)
    throw new LogError('data', 'malformed', `${from} is not an archive of a log`)
  return (value as { files: { [name: string]: string } }).files[DATABASE] as string
}

function parseList(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxDepth: 3 })
  } catch {
    return null
  }
}
