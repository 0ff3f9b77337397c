import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'

export const NAME = 'secrets/file'

export function refuse(code: CustodyErrorCode, what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}
