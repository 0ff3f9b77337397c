import type { Json } from '../json.ts'

/** A decision that anyone can verify offline against a trust anchor. JSON; schema in `core/log/receipt.schema.json`. */
export interface Receipt {
  readonly type: 'assay.receipt/v1'
  /** The leaf's bytes, verbatim: UTF-8 text (canonical JSON). */
  readonly leaf: string
  /** Values and salts behind the leaf's commitments; absent when erased. */
  readonly openings?: { readonly [field: string]: Opening }
  /** A C2SP tlog-proof: index, inclusion proof, checkpoint. */
  readonly proof: string
}

/** `json` is the exact text that was committed to. */
export interface Opening {
  /** 32 hex digits: 128 random bits. */
  readonly salt: string
  readonly json: string
}
export type Openings = { readonly [field: string]: Opening }
export type { Json }
