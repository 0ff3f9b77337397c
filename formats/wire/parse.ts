/** From the bytes of a body to what it says, and back. Only for bytes whose signature holds. */
import { canonicalJson } from '../../core/canonical.ts'
import { fromBase64url, sameBytes } from '../../core/crypto.ts'
import { JsonError, type JsonErrorCode } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { type Body, SHAPES } from './body.ts'
import { type InflateProblem, inflate, MAX_INFLATED_BYTES } from './deflate.ts'
import { DEFLATED, type Frame, unsignedFrame } from './frame.ts'

const MAX_DEPTH = 8

/** `not_json`: no JSON text at all. `not_canonical`: another text than the one that this value has. */
export type BodyProblem =
  | Exclude<JsonErrorCode, 'malformed' | 'too_large'>
  | InflateProblem
  | 'malformed_body'
  | 'not_canonical'
  | 'not_json'
  | 'unknown_member'
  | 'unknown_type'

/** What a frame says whose signature was verified: inflates within its bound, then parses. Never throws. */
export async function openBody(frame: Frame): Promise<Body | { readonly problem: BodyProblem }> {
  if (frame.flags !== DEFLATED) return parseBody(frame.untrustedBody)
  const inflated = await inflate(frame.untrustedBody)
  return 'problem' in inflated ? inflated : parseBody(inflated)
}

export function parseBody(bytes: Uint8Array): Body | { readonly problem: BodyProblem } {
  const value = parse(bytes)
  if (typeof value === 'string') return { problem: value }
  const { json } = value
  if (!sameBytes(new TextEncoder().encode(canonicalJson(json)), bytes))
    return { problem: 'not_canonical' }
  const problem = bodyProblem(json)
  return problem === undefined ? (json as unknown as Body) : { problem }
}

function parse(bytes: Uint8Array): { readonly json: Json } | BodyProblem {
  try {
    return { json: parseJson(bytes, { maxBytes: MAX_INFLATED_BYTES, maxDepth: MAX_DEPTH }) }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    // Nothing larger comes out of a frame.
    return error.code === 'malformed' || error.code === 'too_large' ? 'not_json' : error.code
  }
}

/** Why a value is no body; undefined when it is one. */
export function bodyProblem(value: Json): BodyProblem | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed_body'
  const body = value as { readonly [member: string]: Json }
  const shape = Object.hasOwn(body, 'type') ? SHAPES.get(body.type) : undefined
  if (shape === undefined) return 'unknown_type'
  // `__proto__` and letters that look like others are names like any: not known.
  if (Object.keys(body).some((member) => !shape.names.has(member))) return 'unknown_member'
  if (shape.schema.problem(body, '') !== undefined) return 'malformed_body'
  return isKey(body.key) ? undefined : 'malformed_body'
}

/** Its last character may have bits that no bytes have. */
const isKey = (key: Json | undefined): boolean =>
  key === undefined || fromBase64url(key as string)?.length === 32

/**
 * The message without its signature. @param signer the raw public key that will sign
 *
 * @throws RangeError over 65,435 bytes of body; TypeError for what is no body
 */
export function draftMessage(body: Body, signer: Uint8Array): Uint8Array {
  const problem = bodyProblem(body as unknown as Json)
  if (problem !== undefined) throw new TypeError(`not a message: ${problem}`)
  const bytes = new TextEncoder().encode(canonicalJson(body as unknown as Json))
  return unsignedFrame(0, signer, bytes)
}
