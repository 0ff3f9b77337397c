/** What must be true of a database before a single row of it is used. */

import type { DatabaseSync } from 'node:sqlite'
import { sameBytes } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import { NAME } from './failure.ts'
import { APPLICATION_ID, FORMAT, SCHEMA } from './schema.ts'

/** `quick`: pages and rows are well-formed, the log has no gap and is not shorter than its published head. `full`: indexes and leaf hashes too. */
export type Integrity = 'full' | 'quick'

/** One number out of one row. */
function number(connection: DatabaseSync, sql: string): number {
  const [value] = Object.values(connection.prepare(sql).get() ?? {})
  return typeof value === 'number' ? value : 0
}

function corrupt(what: string): StoreError {
  return new StoreError(NAME, 'corrupt', `${what}; restore a backup`)
}

/**
 * Whether the file is a database of ours or an empty one.
 *
 * @throws StoreError `newer_version`: made by a later release; `corrupt`: somebody else's, or ours with other tables
 */
export function identify(connection: DatabaseSync): 'empty' | 'ours' {
  const application = number(connection, 'PRAGMA application_id')
  const format = number(connection, 'PRAGMA user_version')
  const objects = connection
    .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all()
  if (application === 0 && format === 0 && objects.length === 0) return 'empty'
  if (application !== APPLICATION_ID) throw corrupt('this is not a database of ours')
  if (format > FORMAT) {
    const what = `format ${format} is newer than ${FORMAT}; use the release that wrote it, or a later one`
    throw new StoreError(NAME, 'newer_version', what)
  }
  const known = objects.every(({ name, sql }) => SCHEMA[String(name)] === sql)
  if (format < FORMAT || !known || objects.length !== Object.keys(SCHEMA).length)
    throw corrupt('its tables are not ours')
  return 'ours'
}

/** @throws StoreError `corrupt` */
export function checkIntegrity(connection: DatabaseSync, integrity: Integrity): void {
  const [report] = Object.values(
    connection.prepare(`PRAGMA ${integrity === 'full' ? 'integrity' : 'quick'}_check(1)`).get() ??
      {},
  )
  if (report !== 'ok') throw corrupt('its pages are damaged')
  checkLog(connection)
  if (integrity === 'full') {
    checkHashes(connection)
    checkVersions(connection)
  }
}

function checkLog(connection: DatabaseSync): void {
  // The table itself is counted: an index could still hold what the table has lost.
  const count = number(connection, 'SELECT count(*) FROM leaves NOT INDEXED')
  const first = number(connection, 'SELECT min(idx) FROM leaves')
  const last = number(connection, 'SELECT max(idx) FROM leaves')
  if (count > 0 && (first !== 0 || last !== count - 1)) throw corrupt('the log has a gap')
  const published = number(connection, 'SELECT size FROM checkpoint')
  if (published > count)
    throw corrupt(`the log has ${count} leaves and its published head has ${published}`)
}

function checkHashes(connection: DatabaseSync): void {
  for (const { idx, hash, leaf } of connection.prepare('SELECT * FROM leaves').iterate()) {
    if (!sameBytes(leafHash(leaf as Uint8Array), hash as Uint8Array))
      throw corrupt(`leaf ${String(idx)} was altered`)
  }
}

/** A version above the counter would be given out a second time. */
function checkVersions(connection: DatabaseSync): void {
  const given = number(connection, 'SELECT max(version) FROM kv')
  if (given > number(connection, 'SELECT value FROM meta')) throw corrupt('its versions go back')
}
