/** The bootstrap bundle: what a node that has nothing is given for its token. It names the trust documents by digest; they travel beside it. */
import { JsonError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'
import type { TrustKind } from './document.ts'

export const BUNDLE_PAYLOAD_TYPE = 'application/vnd.assay.bootstrap.v1+json'

export interface BootstrapBundle {
  readonly schema: 'bootstrap.v1'
  /** The control plane, as a URL: the node talks to no other. */
  readonly control_plane: string
  readonly issued_at: number
  readonly node_id: string
  /** Of each document, SHA-256 of its payload, hex. */
  readonly trust: { readonly [Kind in TrustKind]: string }
}

const { integer, literal, object, string } = schema
const digest = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const form: Schema<object> = object({
  schema: literal('bootstrap.v1'),
  control_plane: string({ maxLength: 2048, pattern: /^https?:\/\/[^\s]+$/ }),
  issued_at: integer({ min: 0 }),
  node_id: string({ maxLength: 128 }),
  trust: object({ https: digest, 'node-ca': digest, 'verifier-root': digest }),
})

export function bundlePayload(bundle: BootstrapBundle): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(bundle))
}

/** Undefined for what is no bundle. Only for bytes whose signature holds. */
export function readBundle(payloadType: string, payload: Uint8Array): BootstrapBundle | undefined {
  if (payloadType !== BUNDLE_PAYLOAD_TYPE) return undefined
  try {
    const value = parseJson(payload, { maxBytes: 16_384, maxDepth: 3 })
    return form.problem(value, '') === undefined ? (value as unknown as BootstrapBundle) : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
