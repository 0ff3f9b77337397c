/**
 * `.signatures.json`: OPA's token over the files, and beside it the signed notes of policy keys in a member that OPA does not read. The
 * file is covered by neither, so that signatures can be added one after the other.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
import { type Schema, schema } from '../../core/schema.ts'
import { checkForm, strictJson } from './json.ts'

export const SIGNATURES = '.signatures.json'

export interface Signatures {
  /** Compact JWS. OPA takes exactly one. */
  readonly signatures?: readonly string[]
  /** OPA's name for another verifier than its own; what has one is not verified here. */
  readonly plugin?: string
  /** Lines of a signed note over the bundle's statement, by keys of scope `policy`. */
  readonly assay?: readonly string[]
}

const MAX_BYTES = 8 * 1024 * 1024
const format: Schema<Signatures> = schema.object(
  {},
  {
    signatures: schema.array(schema.string({ maxLength: MAX_BYTES }), { maxItems: 8 }),
    plugin: schema.string({ maxLength: 256 }),
    assay: schema.array(schema.string({ maxLength: 512 }), { maxItems: 64 }),
  },
) as unknown as Schema<Signatures>

/** @throws BundleRefusal `signature_invalid`: not of this form */
export function readSignatures(bytes: Uint8Array | undefined): Signatures {
  if (bytes === undefined) return {}
  const value = strictJson(SIGNATURES, bytes, 'signature_invalid', { maxBytes: MAX_BYTES })
  checkForm(SIGNATURES, value, 'signature_invalid', format)
  return value as Signatures
}

export function writeSignatures({ assay = [], plugin, signatures = [] }: Signatures): Uint8Array {
  const value = {
    ...(signatures.length > 0 ? { signatures } : {}),
    ...(plugin === undefined ? {} : { plugin }),
    ...(assay.length > 0 ? { assay } : {}),
  }
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
}
