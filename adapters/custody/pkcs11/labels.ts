/**
 * What a key's label says: `assay/log/main/3/active`. A label and no data object has name, version and state, because every token keeps labels and
 * changes them in one step, and an operator reads them in any tool. The private half alone says whether a key was revoked: then it is gone.
 */
import { KEY_NAME } from '../../../core/keyref.ts'
import {
  KEY_STATES,
  type KeyRef,
  type KeyScope,
  type KeyState,
  type PublicKey,
} from '../../../core/ports/custody.ts'
import type { TokenKey } from './protocol.ts'

const VERSION = /^[1-9][0-9]{0,14}$/
/** Not anybody's yet: whoever made it has still to see that nobody else took the same version. */
const CLAIMED = 'claimed'

/** A version of a key on the token. */
export interface Version extends PublicKey {
  readonly id: string
  readonly isClaim: boolean
}

export const prefixOf = (prefix: string, scope: KeyScope): string => `${prefix}/${scope}/`

export function labelOf(prefix: string, key: KeyRef, state: KeyState | undefined): string {
  const { name, scope, version } = key
  return `${prefixOf(prefix, scope)}${name}/${version}/${state ?? CLAIMED}`
}

/** Undefined for what is not a key of ours, whatever else somebody keeps on the token. */
export function versionOf(prefix: string, scope: KeyScope, found: TokenKey): Version | undefined {
  const start = prefixOf(prefix, scope)
  if (!found.label.startsWith(start)) return undefined
  const [name = '', version = '', word = '', ...rest] = found.label.slice(start.length).split('/')
  const state = KEY_STATES.find((one) => one === word)
  const isClaim = word === CLAIMED
  if (!KEY_NAME.test(name) || !VERSION.test(version) || rest.length > 0) return undefined
  if (state === undefined && !isClaim) return undefined
  const { algorithm, canSign, id, publicKey } = found
  const ref = { scope, name, version: Number(version) }
  return {
    ...ref,
    algorithm,
    publicKey,
    id,
    isClaim,
    state: canSign ? (state ?? 'pre-active') : 'revoked',
  }
}

export function byNameAndVersion(a: KeyRef, b: KeyRef): number {
  return a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1
}
