/** A mutant, loaded before the server with `--import`: every database runs with `synchronous = OFF`. Only a trace can see it. */
import { DatabaseSync } from 'node:sqlite'

const SYNCHRONOUS = /PRAGMA\s+(\w+\.)?synchronous\s*=\s*\w+/gi
const { exec, prepare } = DatabaseSync.prototype
const off = (sql: string): string => sql.replace(SYNCHRONOUS, 'PRAGMA synchronous = OFF')

DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  exec.call(this, off(sql))
}
DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql, ...rest) {
  return prepare.call(this, off(sql), ...rest)
}
