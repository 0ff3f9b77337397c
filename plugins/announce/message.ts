/** A wire message from text to what it says. Order: structure, the signer's pin, the signature over the raw bytes, and only then the body. */
import { fromBase64url } from '../../core/crypto.ts'
import { importKey } from '../../formats/call/index.ts'
import {
  type Body,
  type Frame,
  MAX_MESSAGE_BYTES,
  openBody,
  readFrame,
  verifyFrame,
} from '../../formats/wire/index.ts'
import type { MessageCheck } from './checks.ts'
import type { Reader } from './reader.ts'
import type { AnnounceFacts } from './schema.ts'
import { findSigner, isUnknown, NO_SIGNER } from './signer.ts'

type Signer = AnnounceFacts['signer']

export interface Opened {
  readonly check: MessageCheck
  readonly signer: Signer
  /** There is one exactly when the check is `valid`. */
  readonly body?: Body
}
/** Base64url of the largest message. */
const MAX_TEXT = Math.ceil((MAX_MESSAGE_BYTES * 4) / 3)

/**
 * Payloads whose message its signer signed, which no later look at the same bytes can change: `screen`, `facts` and every further attempt at one
 * request verify once.
 */
const verified = new WeakSet<object>()

/** What a request brings: its payload, and the message in it. */
export interface Brought {
  readonly payload: object
  readonly text: string
}

/** Whether a key that this kernel knows, or could pin on first use, signed these bytes. The body stays closed. */
export async function authenticate(
  { payload, text }: Brought,
  reader: Reader,
): Promise<{ readonly check: MessageCheck; readonly signer: Signer; readonly frame?: Frame }> {
  const bytes = text.length > MAX_TEXT ? undefined : fromBase64url(text)
  if (bytes === undefined)
    return { check: text.length > MAX_TEXT ? 'too_large' : 'malformed', signer: NO_SIGNER }
  const frame = readFrame(bytes)
  if ('problem' in frame) return { check: frame.problem, signer: NO_SIGNER }
  const signer = await findSigner(frame.signer, reader)
  // An import costs milliseconds: whoever is unknown gets none, unless there is nobody yet who could be known.
  if (isUnknown(signer) && !signer.first_use) return { check: 'signer_unknown', signer }
  const key = importKey(signer.key)
  if (typeof key === 'string') return { check: 'weak_key', signer }
  if (!verified.has(payload)) {
    if (!verifyFrame(frame, key)) return { check: 'signature_invalid', signer }
    verified.add(payload)
  }
  return { check: 'valid', frame, signer }
}

export async function openMessage(brought: Brought, reader: Reader): Promise<Opened> {
  const { check, frame, signer } = await authenticate(brought, reader)
  if (frame === undefined) return { check, signer }
  const body = await openBody(frame)
  return 'problem' in body ? { check: body.problem, signer } : { body, check, signer }
}
