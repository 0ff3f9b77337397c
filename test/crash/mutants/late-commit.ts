/**
 * A mutant, loaded before the server with `--import`: COMMIT answers at once and becomes real a while later, so the server acknowledges
 * decisions that a crash still loses. The ledger check must see it.
 */
import {
  DatabaseSync,
  type SQLInputValue,
  type StatementResultingChanges,
  StatementSync,
} from 'node:sqlite'

const DELAY_MS = 150
const open = new WeakMap<object, { exec(sql: string): void; committing: boolean }>()
const isCommit = (sql: string): boolean => /^\s*(COMMIT|END)\b/i.test(sql)
const isBegin = (sql: string): boolean => /^\s*BEGIN\b/i.test(sql)

const { exec, prepare, close } = DatabaseSync.prototype

/** Undefined when the statement is to run as it is. */
function swallow(database: DatabaseSync, sql: string): true | undefined {
  const late = open.get(database)
  if (isBegin(sql)) return late?.committing || undefined
  if (!isCommit(sql)) return undefined
  if (late?.committing) return true
  const pending = { exec: (text: string) => exec.call(database, text), committing: true }
  open.set(database, pending)
  setTimeout(() => finish(database), DELAY_MS)
  return true
}

function finish(database: DatabaseSync): void {
  const late = open.get(database)
  if (!late?.committing) return
  late.committing = false
  late.exec('COMMIT')
}

DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  if (!swallow(this, sql)) exec.call(this, sql)
}

const statements = new WeakMap<StatementSync, { database: DatabaseSync; sql: string }>()
DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql, ...rest): StatementSync {
  const statement = prepare.call(this, sql, ...rest)
  if (isBegin(sql) || isCommit(sql)) statements.set(statement, { database: this, sql })
  return statement
}
const { run } = StatementSync.prototype
Object.assign(StatementSync.prototype, {
  run(this: StatementSync, ...values: SQLInputValue[]): StatementResultingChanges {
    const origin = statements.get(this)
    if (origin && swallow(origin.database, origin.sql)) return { changes: 0, lastInsertRowid: 0 }
    return Reflect.apply(run, this, values)
  },
})

DatabaseSync.prototype.close = function (this: DatabaseSync): void {
  finish(this)
  close.call(this)
}
