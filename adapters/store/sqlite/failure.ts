/** SQLite's result codes and the file system's, as the Store port's codes. @see https://www.sqlite.org/rescode.html */
import { StoreError, type StoreErrorCode } from '../../../core/error.ts'

export const NAME = 'store/sqlite'

const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const
/** IOERR with the reason in its second byte: the file system says that the data is damaged. */
const DAMAGED = new Set([8458 /* CORRUPTFS */, 8202 /* DATA */])

const SYNC = new Set([1034 /* IOERR_FSYNC */, 1290 /* IOERR_DIR_FSYNC */])

/** CONSTRAINT_DATATYPE: the caller's value is of another type than the port says. */
const WRONG_TYPE = 3091

const WAY_OUT: Partial<Record<StoreErrorCode, string>> = {
  corrupt: 'the database is damaged or not ours; restore a backup',
  full: 'no space left; nothing was written; make room',
  read_only: 'the database cannot be written; check its owner, its mode and the file system',
  unavailable: 'nothing was written; try again',
  unknown_outcome: 'it may have been written; restart and read it again',
}

/** SQLite's extended result code, or undefined when the error is not SQLite's. */
export function resultCode(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode : undefined
}

/** Something could not be synced: nobody knows what of it is on the disk. */
export function isSyncFailure(error: unknown): boolean {
  return SYNC.has(resultCode(error) ?? 0)
}

export function isBusy(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff
  return code === SQLITE.BUSY || code === SQLITE.LOCKED
}

/** No side file could be made beside the database. */
export function lacksSideFiles(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff
  return code === SQLITE.CANTOPEN || code === SQLITE.READONLY
}

/** A failure in the Store port's words. `committing`: the COMMIT itself failed, so what was written is only known for some codes. */
export function storeFailure(error: unknown, committing = false): StoreError {
  if (error instanceof StoreError) return error
  const code = codeOf(error, committing)
  const detail = resultCode(error) ?? (error as { code?: unknown }).code ?? 'no code'
  return new StoreError(NAME, code, `${WAY_OUT[code]} (${String(detail)})`, { cause: error })
}

function codeOf(error: unknown, committing: boolean): StoreErrorCode {
  const result = resultCode(error)
  if (result === undefined) return fileCode((error as { code?: unknown }).code)
  if (result === WRONG_TYPE) return 'unavailable'
  switch (result & 0xff) {
    case SQLITE.FULL:
      return 'full'
    case SQLITE.READONLY:
      return 'read_only'
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
    case SQLITE.CONSTRAINT:
      return 'corrupt'
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return 'unavailable'
    default:
      if (DAMAGED.has(result)) return 'corrupt'
      return committing ? 'unknown_outcome' : 'unavailable'
  }
}

function fileCode(code: unknown): StoreErrorCode {
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'read_only'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'full'
  // A number that does not fit is one that we never wrote.
  return code === 'ERR_OUT_OF_RANGE' ? 'corrupt' : 'unavailable'
}
