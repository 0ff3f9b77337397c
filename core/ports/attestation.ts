/** Where attestation evidence comes from (RFC 9334: the attester's side, and reference values). Adapters report; Rego appraises. */
export interface AttestationSource {
  readonly name: string
  /** Evidence formats, for example `tpm2-quote`. */
  readonly formats: readonly string[]
  /** Fresh evidence with `nonce` (8 to 64 bytes) inside its signed part. */
  attest(nonce: Uint8Array, signal: AbortSignal): Promise<Evidence>
  /** The reference value of this identifier, or undefined when none is known. */
  reference(id: string): Promise<Uint8Array | undefined>
}
export interface Evidence {
  readonly format: string
  readonly bytes: Uint8Array
}
