/**
 * The runtime's own cryptography: the only synchronous one that reads RSA keys, certificates and PKCS #8. Asked for when a built-in
 * runs, so that browsers can load the library; there the built-ins that need it say that they cannot be computed.
 */
import type * as Crypto from 'node:crypto'
import type { Context } from '../builtin.ts'
import { fail } from '../builtin.ts'

export type NodeCrypto = typeof Crypto

export function nodeCrypto(context: Context): NodeCrypto | undefined {
  const found = globalThis.process?.getBuiltinModule?.('node:crypto')
  return found ?? fail(context, 'this runtime has no synchronous cryptography')
}
