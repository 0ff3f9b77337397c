/** What the custody asks of the process that has the PKCS #11 library in it, and how that answers. */
import type { KeyAlgorithm } from '../../../core/ports/custody.ts'

/** One key pair on the token. Its label is the public half's. */
export interface TokenKey {
  /** What both halves have as CKA_ID; hex. */
  readonly id: string
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly publicKey: Uint8Array
  /** Whether the private half is there. */
  readonly canSign: boolean
}

export interface Signed {
  readonly algorithm: KeyAlgorithm
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/** By operation: what it takes and what it gives. */
export interface Operations {
  /** Comes first, once. */
  open: {
    takes: { readonly module: string; readonly token: string; readonly pin: string }
    gives: { readonly algorithms: readonly KeyAlgorithm[] }
  }
  /** Public keys whose label begins with this. */
  list: { takes: { readonly prefix: string }; gives: readonly TokenKey[] }
  generate: {
    takes: {
      readonly id: string
      readonly label: string
      /** Of the private half, for whoever looks at the token: it says nothing that changes. */
      readonly privateLabel: string
      readonly algorithm: KeyAlgorithm
    }
    gives: undefined
  }
  relabel: { takes: { readonly id: string; readonly label: string }; gives: undefined }
  /** The private half, or both; done already is done. */
  destroy: { takes: { readonly id: string; readonly both: boolean }; gives: undefined }
  /** Undefined: no key pair has this label. */
  sign: {
    takes: { readonly label: string; readonly message: Uint8Array }
    gives: Signed | undefined
  }
}
export type Operation = keyof Operations

export interface Ask<Op extends Operation = Operation> {
  readonly id: number
  readonly op: Op
  readonly takes: Operations[Op]['takes']
}

/**
 * `no_sdk`: pkcs11js is not installed. `no_module`: the library cannot be loaded. `no_token`: it has no such token. `pkcs11`: the library's own
 * code. `odd`: what it says makes no sense.
 */
export type Failure =
  | { readonly kind: 'no_module' | 'no_sdk' | 'no_token' | 'odd' }
  | { readonly kind: 'pkcs11'; readonly code: number; readonly name: string }

export type Answer = { readonly id: number } & (
  | { readonly gives: unknown }
  | { readonly failure: Failure }
)
