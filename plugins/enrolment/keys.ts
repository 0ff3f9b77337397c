/** Where the plugin's records lie. Other plugins read them; nobody else writes them. */
import type { Owner } from '../../formats/call/index.ts'
import type { OwnedScope } from './schema.ts'

/** What the key is for, and whose it is: one scope and one owner, for ever. */
export const keyRecord = (publicKey: string): string => `key/${publicKey}`

/** The plugin `release` keeps a record of the same name for each key that it pins. */
export const RELEASE = 'release'

/** What is revoked by messages; see `keyIsRevoked` of formats/call. */
export const ANNOUNCE = 'announce'

/** There is one controller. */
export const CONTROLLER = 'controller'

/** Scopes whose owners have a record with all their keys; the others' keys stand alone. */
export const OWNED: Readonly<Record<OwnedScope, (owner: string) => string>> = {
  cell: (cell) => `cell/${cell}`,
  controller: () => CONTROLLER,
  tenant: (tenant) => `tenant/${tenant}`,
}

export function ownerRecord({ owner, scope }: Owner): string | undefined {
  return Object.hasOwn(OWNED, scope) ? OWNED[scope as OwnedScope](owner) : undefined
}
