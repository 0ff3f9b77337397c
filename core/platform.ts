/** What Node's own crypto does for core, which imports nothing of Node. Undefined elsewhere: there @noble does it. */

/** An ECDSA key and how its signatures are written. */
export interface EcdsaKey {
  readonly key: object
  readonly dsaEncoding: 'ieee-p1363'
}
/** The part of node:crypto that is used. */
export interface NodeCrypto {
  hash(algorithm: string, data: string | Uint8Array, encoding: string): string
  createPublicKey(key: { key: object; format: 'jwk' }): object
  createPrivateKey(key: { key: object; format: 'jwk' }): {
    export(as: { format: 'jwk' }): { readonly x: string }
  }
  verify(
    algorithm: 'sha256' | null,
    data: Uint8Array,
    key: object | EcdsaKey,
    signature: Uint8Array,
  ): boolean
}
/** The part of node:buffer that is used. */
export interface NodeBuffer {
  readonly Buffer: {
    from(bytes: ArrayBufferLike, at: number, length: number): { toString(encoding: string): string }
  }
}
type Loader = { getBuiltinModule?: (id: string) => unknown }
const builtin = (id: string): unknown =>
  (globalThis as { process?: Loader }).process?.getBuiltinModule?.(id)

export const nodeCrypto: NodeCrypto | undefined = builtin('node:crypto') as NodeCrypto | undefined
export const nodeBuffer: NodeBuffer | undefined = builtin('node:buffer') as NodeBuffer | undefined
