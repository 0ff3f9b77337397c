/**
 * Signed calls of a cell to a scheduler: `{"body", "call": {"cell", "nonce", "signature", "time"}}`. The signature is the cell's identity
 * key's over `"assay/cell-call/v1\0"` and the SHA-256 of the canonical JSON of {action, body, cell, nonce, time}: what the call asks for, and
 * of whom, is under it. Ed25519 (RFC 8032), JCS (RFC 8785).
 */
import { canonicalJson } from '../../core/canonical.ts'
import { fromBase64url, sha256Text } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'

const { integer, string } = schema

/** As cells and tenants are named: their records' keys are made of it. */
export const NAME: Schema<string> = string({
  maxLength: 128,
  pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]*$/,
})
/** A raw Ed25519 key, 32 bytes in base64url. */
export const PUBLIC_KEY: Schema<string> = string({ maxLength: 43, pattern: /^[\w-]{43}$/ })
/** 64 bytes in base64url. */
export const SIGNATURE: Schema<string> = string({ maxLength: 86, pattern: /^[\w-]{86}$/ })
/** 16 bytes in base64url. */
export const NONCE: Schema<string> = string({ maxLength: 22, pattern: /^[\w-]{22}$/ })

/** Who says that it calls, and when. Nothing of it is verified yet. */
export interface Call {
  readonly cell: string
  readonly nonce: string
  readonly signature: Uint8Array
  /** Unix seconds, by the cell's clock. */
  readonly time: number
}
export interface Opened {
  readonly body: Json
  /** Absent where the payload is a body alone: nobody signed it. */
  readonly call?: Call
}

const callSchema = schema.object({
  cell: NAME,
  nonce: NONCE,
  signature: SIGNATURE,
  time: integer({ min: 0 }),
})

/**
 * Takes a payload apart. A payload without the member `call` is a body that nobody signed; one with it is closed. `problem`: where a call
 * is not as it should be, without any text of the caller's.
 */
export function openCall(payload: Json): Opened | { readonly problem: string } {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'call'))
    return { body: payload }
  const { body, call, ...more } = payload as { readonly [name: string]: Json }
  if (body === undefined) return { problem: '/body: expected a value' }
  if (Object.keys(more).length > 0) return { problem: '/: expected body and call alone' }
  const problem = callSchema.problem(call, '/call')
  if (problem !== undefined) return { problem }
  const { signature, ...said } = call as { cell: string; nonce: string; time: number } & {
    readonly signature: string
  }
  const bytes = fromBase64url(signature)
  if (bytes === undefined) return { problem: '/call/signature: expected base64url' }
  return { body, call: { ...said, signature: bytes } }
}

export interface Said {
  readonly action: string
  readonly body: Json
  readonly cell: string
  readonly nonce: string
  readonly time: number
}

/** What a cell signs to call. @throws JsonError when `body` has no canonical form */
export function callMessage({ action, body, cell, nonce, time }: Said): Uint8Array {
  return tagged('assay/cell-call/v1', { action, body, cell, nonce, time })
}

/** The tag, a zero byte, and the SHA-256 of the value's canonical JSON. */
export function tagged(tag: string, value: Json): Uint8Array {
  const head = new TextEncoder().encode(`${tag}\0`)
  const digest = sha256Text(canonicalJson(value))
  const message = new Uint8Array(head.length + digest.length)
  message.set(head)
  message.set(digest, head.length)
  return message
}
