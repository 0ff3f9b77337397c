/** What every custody refuses by itself, before it asks its backend: names and versions become paths, labels and aliases there. */
import { CustodyError } from './error.ts'
import { KEY_SCOPES, type KeyRef, type KeyScope } from './ports/custody.ts'

export const KEY_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,62}$/

/** @throws CustodyError `invalid_name` */
export function checkKeyName(who: string, name: string): void {
  if (!KEY_NAME.test(name))
    throw new CustodyError(who, 'invalid_name', `a key's name is ${KEY_NAME.source}`)
}

/** @throws CustodyError `invalid_name`, `unknown_key` */
export function checkKeyRef(who: string, { name, version }: KeyRef): void {
  checkKeyName(who, name)
  if (!Number.isSafeInteger(version) || version < 1)
    throw new CustodyError(who, 'unknown_key', 'versions are whole numbers from 1 on')
}

/** @throws CustodyError `scope_mismatch` */
export function checkServed(who: string, served: readonly KeyScope[], scope: KeyScope): void {
  if (!served.includes(scope))
    throw new CustodyError(who, 'scope_mismatch', `scope ${String(scope)} is not served here`)
}

/** Of a custody that is opened. @throws CustodyError `scope_mismatch` */
export function checkScopes(who: string, scopes: readonly KeyScope[]): void {
  const unknown = scopes.find((scope) => !KEY_SCOPES.includes(scope))
  if (unknown !== undefined)
    throw new CustodyError(who, 'scope_mismatch', `there is no scope ${String(unknown)}`)
}
