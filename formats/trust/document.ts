/**
 * Trust documents: what a node trusts, and for what. There are three, and nothing makes one of them into another: each has a payload type
 * that its signature covers, a schema with a name of its own, and values that TypeScript keeps apart. docs/bootstrap.md has the format.
 */
import { JsonError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'

/** `https`: who may speak for public HTTPS. `node-ca`: who issues node certificates. `verifier-root`: who signs verifier sets. */
export type TrustKind = 'https' | 'node-ca' | 'verifier-root'
export const TRUST_KINDS: readonly TrustKind[] = ['https', 'node-ca', 'verifier-root']

/** `next`: trusted, and not used yet. `current`: in use. `retiring`: not used any more, and trusted until it is taken out. */
export type AnchorState = 'current' | 'next' | 'retiring'
export interface Anchor {
  /** What people call it, such as the year of a CA. */
  readonly id: string
  readonly state: AnchorState
  /** Certificates in PEM; of a verifier root its public key in base64url. */
  readonly value: string
}
/** The document of one kind. Those of two kinds are never assignable to each other. */
export interface TrustDocument<Kind extends TrustKind = TrustKind> {
  readonly schema: `${Kind}-trust.v1`
  /** 1, 2, 3 ...; only grows. */
  readonly version: number
  /** UNIX seconds. */
  readonly issued_at: number
  /** Each is trusted, whatever its state: old and new overlap. */
  readonly anchors: readonly Anchor[]
}

/** Part of what is signed. */
export const TRUST_PAYLOAD_TYPES: { readonly [Kind in TrustKind]: string } = {
  https: 'application/vnd.assay.https-trust.v1+json',
  'node-ca': 'application/vnd.assay.node-ca-trust.v1+json',
  'verifier-root': 'application/vnd.assay.verifier-root-trust.v1+json',
}
export const MAX_TRUST_BYTES = 524_288
export const MAX_ANCHORS = 32

const { array, integer, literal, object, string } = schema
const LINE = '[A-Za-z0-9+/=]{1,76}\\r?\\n'
const PEM = new RegExp(
  `^(?:-----BEGIN CERTIFICATE-----\\r?\\n(?:${LINE}){1,200}-----END CERTIFICATE-----\\r?\\n){1,16}$`,
)
const pem = string({ maxLength: 65_536, pattern: PEM })
const publicKey = string({ maxLength: 87, pattern: /^[A-Za-z0-9_-]{43}(?:[A-Za-z0-9_-]{44})?$/ })

export const anchorsSchema: { readonly [Kind in TrustKind]: Schema<readonly Anchor[]> } = {
  https: anchorsOf(pem),
  'node-ca': anchorsOf(pem),
  'verifier-root': anchorsOf(publicKey),
}

function anchorsOf(value: Schema<string>): Schema<readonly Anchor[]> {
  const id = string({ maxLength: 64, pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/ })
  const state = literal('next', 'current', 'retiring')
  return array(object({ id, state, value }), { maxItems: MAX_ANCHORS })
}

/**
 * What an anchor's value is, however it is written: a text for each of its certificates, or the key. Line breaks in PEM are nobody's matter, and
 * several certificates may stand in one value.
 */
export function anchoredBy(value: string): readonly string[] {
  const bodies = value.split(/-----(?:BEGIN|END) CERTIFICATE-----/)
  return bodies.map((body) => body.replace(/[\r\n=]/g, '')).filter((body) => body !== '')
}

/** What is signed. */
export function trustPayload(document: TrustDocument): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document))
}

/** A document of this kind and no other; undefined for anything else. */
export function readTrust<Kind extends TrustKind>(
  kind: Kind,
  payloadType: string,
  payload: Uint8Array,
): TrustDocument<Kind> | undefined {
  if (payloadType !== TRUST_PAYLOAD_TYPES[kind]) return undefined
  const form = object({
    schema: literal(`${kind}-trust.v1`),
    version: integer({ min: 1 }),
    issued_at: integer({ min: 0 }),
    anchors: anchorsSchema[kind],
  })
  try {
    const value = parseJson(payload, { maxBytes: MAX_TRUST_BYTES, maxDepth: 4 })
    if (form.problem(value, '') !== undefined) return undefined
    const document = value as unknown as TrustDocument<Kind>
    const names = new Set(document.anchors.map(({ id }) => id))
    return names.size === document.anchors.length && names.size > 0 ? document : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
