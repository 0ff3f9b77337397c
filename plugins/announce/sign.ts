/** Messages that are made here: their bytes, the signature that custody makes over them, and the entry that sends them. */
import { fromBase64url, toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { EffectPlan, OutboxEntry } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import { type Schema, schema } from '../../core/schema.ts'
import {
  type Body,
  draftMessage,
  HEADER_BYTES,
  members,
  wireMessage,
} from '../../formats/wire/index.ts'

/** In an effect: which key of custody signs, and its public half. */
export const signerMembers: {
  readonly custody: Schema<string>
  readonly signer: Schema<string>
} = {
  custody: schema.string({ maxLength: 63, pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ }),
  signer: members.key,
}
export const scopeMember: { readonly scope: Schema<'cell' | 'controller'> } = {
  scope: schema.literal('cell', 'controller'),
}

export interface Signing {
  readonly custody: string
  readonly from: string
  readonly scope: 'cell' | 'controller'
  readonly sequence: number
  /** The public key, base64url. */
  readonly signer: string
}

/** The name under which the signature stands in outputs and outbox entries. */
const SIGNATURE = 'signature'

export interface Made {
  readonly signatures: NonNullable<EffectPlan['signatures']>
  /** The message without its signature, which stands beside it. */
  readonly output: { readonly unsigned: string }
  /** Sends it to every peer: `{cell, unsigned}`, and `signatures.signature`. */
  broadcast(cell: string): OutboxEntry
}

/** @throws TypeError for what is no message; RangeError for one that is too large */
export function signed(body: object, { from, sequence, ...key }: Signing, now: UnixSeconds): Made {
  const whole = { ...body, from, seq: sequence, time: now } as Body
  const publicKey = fromBase64url(key.signer) ?? new Uint8Array()
  const frame = draftMessage(whole, publicKey)
  const message = wireMessage(0, publicKey, frame.subarray(HEADER_BYTES))
  const unsigned = toBase64url(frame)
  return {
    signatures: [
      { name: SIGNATURE, scope: key.scope, key: key.custody, purpose: 'announce.message', message },
    ],
    output: { unsigned },
    broadcast: (cell): OutboxEntry => ({
      kind: 'announce.broadcast',
      body: { cell, unsigned } as Json,
      signatures: [SIGNATURE],
    }),
  }
}
