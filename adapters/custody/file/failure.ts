/** The file system's errors as the Custody port's codes. Messages name files, never what is in them. */
import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'

export const NAME = 'custody/file'

export function refuse(code: CustodyErrorCode, what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}

/** Runs `work`, whose failures are about `path`. @throws CustodyError only */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof CustodyError) throw error
    // No cause: nothing of a key may hang on an error that is logged.
    const code = String((error as { code?: unknown }).code ?? 'no code')
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP')
      throw refuse('insecure_permissions', `${path} (${code}): make it yours, and no link`)
    throw refuse('unavailable', `${path} (${code}): try again`)
  }
}
