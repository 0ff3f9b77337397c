/** What the plugin `signer` puts into the outbox for custody. */

import {
  KEY_ALGORITHMS,
  KEY_SCOPES,
  KEY_STATES,
  type KeyAlgorithm,
  type KeyRef,
  type KeyScope,
  type KeyState,
} from '../../../core/ports/custody.ts'
import type { OutboundAction } from '../../../core/ports/outbound.ts'
import type { SecretRef } from '../../../core/ports/secrets.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { KeyCustodyError } from './error.ts'

const { integer, literal, object, string } = schema

/** Of a secret: the port Secrets keeps it. */
export const SECRET = 'secret'
export type ManagedScope = KeyScope | typeof SECRET

/** A version after this one: whatever an attempt before this one has left is taken. */
export interface Make {
  readonly after: number
  readonly algorithm: KeyAlgorithm | 'opaque'
  readonly name: string
  readonly scope: ManagedScope
}
export interface Move extends Pick<KeyRef, 'name' | 'version'> {
  readonly scope: ManagedScope
  /** Unix seconds. */
  readonly not_before: number
  readonly state: KeyState
}
/** A secret's value for one recipient. */
export interface Seal extends SecretRef {
  readonly decision: string
  /** X25519, base64url. */
  readonly recipient: string
  readonly scope: typeof SECRET
}

const key = { name: string({ maxLength: 63 }), scope: literal(...KEY_SCOPES, SECRET) }
const make: Schema<Make> = object({
  ...key,
  after: integer({ min: 0 }),
  algorithm: literal(...KEY_ALGORITHMS, 'opaque'),
})
const move: Schema<Move> = object({
  ...key,
  not_before: integer({ min: 0 }),
  state: literal(...KEY_STATES),
  version: integer({ min: 1 }),
})
const seal: Schema<Seal> = object({
  decision: string({ maxLength: 64 }),
  name: string({ maxLength: 63 }),
  recipient: string({ maxLength: 43 }),
  scope: literal(SECRET),
  version: integer({ min: 1 }),
})

export type Entry =
  | { readonly kind: 'signer.make'; readonly body: Make }
  | { readonly kind: 'signer.move'; readonly body: Move }
  | { readonly kind: 'signer.seal'; readonly body: Seal }

/** @throws KeyCustodyError `malformed` */
export function readEntry({ body, kind }: OutboundAction): Entry {
  if (kind === 'signer.make' && make.problem(body, '') === undefined)
    return { kind, body: body as unknown as Make }
  if (kind === 'signer.move' && move.problem(body, '') === undefined)
    return { kind, body: body as unknown as Move }
  if (kind === 'signer.seal' && seal.problem(body, '') === undefined)
    return { kind, body: body as unknown as Seal }
  throw new KeyCustodyError(
    'outbound/custody',
    'malformed',
    `this is no entry for custody: ${kind}`,
  )
}
