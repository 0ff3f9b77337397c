/**
 * DSSE envelopes: a payload, its type, and signatures over both. Reading one verifies nothing.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md
 */
import { fromBase64, fromBase64url, toBase64 } from '../../core/base64.ts'
import { concatBytes } from '../../core/crypto.ts'
import { JsonError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'

export interface Envelope {
  /** What the payload is. It is part of what is signed. */
  readonly payloadType: string
  readonly payload: Uint8Array
  /** None, where somebody took them away: whoever verifies says so. */
  readonly signatures: readonly EnvelopeSignature[]
}
export interface EnvelopeSignature {
  /** Which key may have signed: a hint that nobody vouches for. Empty where there is none. */
  readonly keyid: string
  readonly sig: Uint8Array
}
/** As it stands in JSON, with standard base64. */
export interface EnvelopeJson {
  readonly payloadType: string
  readonly payload: string
  readonly signatures: readonly { readonly keyid?: string; readonly sig: string }[]
}

export interface EnvelopeLimits {
  /** Of the whole text, in UTF-8 bytes; default 1 MiB. */
  readonly maxBytes?: number
}

/** In one envelope. */
export const MAX_SIGNATURES = 16
/** In characters, of the payload's type and of each key id. */
const MAX_NAME = 256
/** Envelopes are flat; what else stands in them may be a little deeper. */
const MAX_DEPTH = 16

const encoder = new TextEncoder()

/**
 * What is signed: the "pre-authentication encoding" of type and payload, so that no payload can be taken for one of another type.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
 */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = encoder.encode(payloadType)
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `)
  return concatBytes([head, payload])
}

/** The envelope as it travels. An empty key id is left out. */
export function createEnvelope({ payload, payloadType, signatures }: Envelope): EnvelopeJson {
  return {
    payloadType,
    payload: toBase64(payload),
    signatures: signatures.map(({ keyid, sig }) => ({
      ...(keyid === '' ? {} : { keyid }),
      sig: toBase64(sig),
    })),
  }
}

/**
 * The envelope of a decision's output: the parts stand beside each other there, because a signature is made last.
 *
 * @param output `payload` in base64, `signature` in base64url, `keyid` where the key has a name
 */
export function signedEnvelope(output: {
  readonly keyid?: string
  readonly payload: string
  readonly payloadType: string
  readonly signature: string
}): EnvelopeJson {
  const { keyid, payload, payloadType, signature } = output
  return {
    payloadType,
    payload,
    signatures: [{ ...(keyid !== undefined && { keyid }), sig: signature }],
  }
}

/** Strict JSON, then {@link openEnvelope}; undefined for what is none. */
export function parseEnvelope(
  source: string | Uint8Array,
  { maxBytes = 1_048_576 }: EnvelopeLimits = {},
): Envelope | undefined {
  try {
    return openEnvelope(parseJson(source, { maxBytes, maxDepth: MAX_DEPTH }))
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/**
 * From JSON that was read strictly; undefined for what is no envelope: a member is missing or of another type, something is not base64, or
 * there are more than {@link MAX_SIGNATURES}. Members that DSSE does not know are not looked at, as it demands; nothing signs them.
 */
export function openEnvelope(value: Json): Envelope | undefined {
  const payload = bytesIn(member(value, 'payload'))
  const payloadType = nameIn(member(value, 'payloadType'))
  const list = member(value, 'signatures')
  if (payload === undefined || payloadType === undefined || !Array.isArray(list)) return undefined
  if (payloadType === '' || list.length > MAX_SIGNATURES) return undefined
  const signatures = list.map(signatureIn)
  if (!signatures.every((signature) => signature !== undefined)) return undefined
  return { payloadType, payload, signatures }
}

function signatureIn(value: Json): EnvelopeSignature | undefined {
  const sig = bytesIn(member(value, 'sig'))
  const keyid = nameIn(member(value, 'keyid') ?? '')
  return sig === undefined || keyid === undefined ? undefined : { keyid, sig }
}

function member(value: Json, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const object = value as { readonly [name: string]: Json }
  return Object.hasOwn(object, name) ? object[name] : undefined
}

const nameIn = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.length <= MAX_NAME ? value : undefined

/** Either alphabet, as DSSE demands; base64url with its padding or without. */
function bytesIn(value: Json | undefined): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined
  return fromBase64(value) ?? fromBase64url(value.length % 4 === 0 ? unpadded(value) : value)
}
const unpadded = (text: string): string => text.replace(/={1,2}$/, '')
