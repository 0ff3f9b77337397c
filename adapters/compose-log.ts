/** What is done to the log of a stopped server. Composed like a server, up to its log. */
import { basename, dirname } from 'node:path'
import { sameBytes } from '../core/crypto.ts'
import { ConfigError, LogError } from '../core/error.ts'
import { type TrustAnchor, verifyHead } from '../core/log/anchor.ts'
import type { Checkpoint } from '../core/log/checkpoint.ts'
import { type FsckReport, fsck } from '../core/log/fsck.ts'
import { rootAt } from '../core/log/proof.ts'
import { logReader, publishedHead } from '../core/log/reader.ts'
import { settledSize } from '../core/merge.ts'
import type { LogStore } from '../core/ports/logstore.ts'
import { type Head, Sealer } from '../core/seal.ts'
import { type AdapterOptions, Adapters, openLog, SEAL_TIMEOUT_MS } from './compose.ts'
import type { Config } from './config/complete.ts'
import { readArchive, writeArchive } from './datafolder/archive.ts'
import { anchorPath } from './datafolder/identity.ts'
import { type Rotation, type RotationOptions, rotateKey } from './datafolder/rotate.ts'

export type { Rotation }

/**
 * Signs and publishes a head over all that the log holds, as the server itself would at its next start.
 *
 * @throws StoreError `locked`: it is not stopped
 */
export async function sealLog(config: Config): Promise<Head | undefined> {
  const adapters = new Adapters(config)
  try {
    const { clock, custody, identity, log } = await openLog(adapters)
    await settledSize(log)
    const { origin, key } = identity
    const timeoutMs = SEAL_TIMEOUT_MS
    const sealer = await Sealer.open({ origin, log, custody, key, timeoutMs, clock })
    await sealer.close()
    return sealer.head
  } finally {
    await adapters.close()
  }
}

/**
 * Replaces the key that signs the log's heads. Old receipts stay valid under the anchor that it writes.
 *
 * @throws StoreError `locked`: the server is not stopped; what {@link rotateKey} throws
 */
export async function rotateLogKey(
  config: Config,
  { parts = [], ...options }: RotationOptions & Pick<AdapterOptions, 'parts'> = {},
): Promise<Rotation> {
  const adapters = new Adapters(config, { parts })
  try {
    const { log, store } = await adapters.get('store')
    const [custody, clock] = [await adapters.get('custody'), await adapters.get('clock')]
    const { data: dataFolder } = config
    const sealTimeoutMs = SEAL_TIMEOUT_MS
    return await rotateKey({ dataFolder, store, log, custody, clock, sealTimeoutMs }, options)
  } finally {
    await adapters.close()
  }
}

export interface ArchiveOptions {
  /** Copy the private keys too: whoever has them can sign as this log. Only of the file custody. */
  readonly keys?: boolean
}

/**
 * Copies store, log and anchor as they are at one moment; a server may be running.
 *
 * @throws ConfigError `invalid_config`: another store than sqlite; StoreError
 */
export async function archiveLog(
  config: Config,
  to: string,
  { keys = false }: ArchiveOptions = {},
): Promise<void> {
  const { integrity, path } = sqliteOf(config)
  const { copySqlite, openSqlite } = await import('./store/sqlite/index.ts')
  if (keys && config.custody.kind !== 'file')
    throw new ConfigError('invalid_config', 'only keys in files can be copied; leave them out')
  await writeArchive(to, {
    copyDatabase: (database) => copySqlite({ path, integrity }, database),
    async readCheckpoint(database) {
      const { log, store } = await openSqlite({ path: database, readOnly: true })
      try {
        return await log.checkpoint()
      } finally {
        await log.close()
        await store.close()
      }
    },
    anchorFile: anchorPath(config.data),
    keysFolder: keys && config.custody.kind === 'file' ? config.custody.dir : undefined,
  })
}

export interface RestoreOptions {
  readonly from: string
  /** Obtained out of band. The data folder goes on with it. */
  readonly anchor: TrustAnchor
  /** A checkpoint that somebody else kept: an archive from before it is refused. */
  readonly expect?: Uint8Array
}

/** Nothing is at the data folder unless the report is ok. @throws ConfigError, StoreError, LogError */
export async function restoreLog(
  config: Config,
  { anchor, expect, from }: RestoreOptions,
): Promise<FsckReport> {
  sqliteOf(config)
  const known = expect && verifyHead(expect, anchor)
  const { openSqlite } = await import('./store/sqlite/index.ts')
  let report: FsckReport | undefined
  try {
    await readArchive({ from, data: config.data, anchor }, async (database) => {
      const { log, store } = await openSqlite({
        path: database,
        integrity: 'full',
        readOnly: true,
      })
      try {
        const head = await publishedHead(log)
        report = await fsck(
          logReader(log, () => head),
          anchor,
        )
        if (known && !(await leadsTo(log, known))) report = rolledBack(report, known)
      } finally {
        await log.close()
        await store.close()
      }
      if (!report.ok) throw new Unsound()
    })
  } catch (error) {
    if (!(error instanceof Unsound)) throw error
  }
  return report as FsckReport
}

/** Rows count here, signed or not: a head may be published a moment after its leaves. */
async function leadsTo(log: LogStore, { root, size }: Checkpoint): Promise<boolean> {
  if ((await log.size()) < size) return false
  const found = await rootAt(log, size)
  return found !== undefined && sameBytes(found, root)
}

function rolledBack(report: FsckReport, { size }: Checkpoint): FsckReport {
  const detail = `the archive does not lead to the known head of ${size}: it is older, or another history`
  const problem = { code: 'inconsistent', where: 'checkpoint', detail } as const
  return { ...report, ok: false, problems: [...report.problems, problem] }
}

class Unsound extends LogError {
  constructor() {
    super('data', 'inconsistent', 'the archived log is not sound, or not the newest')
  }
}

/** Writes the database anew, without what is free in it. @throws ConfigError, StoreError `locked` */
export async function compactLog(config: Config): Promise<void> {
  const { integrity, path } = sqliteOf(config)
  const { compactSqlite } = await import('./store/sqlite/index.ts')
  compactSqlite({ path, integrity })
}

function sqliteOf({ data, store }: Config): Extract<Config['store'], { kind: 'sqlite' }> {
  if (store.kind !== 'sqlite')
    throw new ConfigError(
      'invalid_config',
      'only a store of kind sqlite is one file; use its own tools',
    )
  if (dirname(store.path) !== data || basename(store.path) !== 'assay.db')
    throw new ConfigError(
      'invalid_config',
      'only a database at its usual place is archived: assay.db in the data folder',
    )
  return store
}
