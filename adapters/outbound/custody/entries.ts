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
import { type Schema, schema } from '../../../core/schema.ts'
import { KeyCustodyError } from './error.ts'

const { integer, literal, object, string } = schema

/** A version after this one: whatever an attempt before this one has left is taken. */
export interface Make {
  readonly after: number
  readonly algorithm: KeyAlgorithm
  readonly name: string
  readonly scope: KeyScope
}
export interface Move extends KeyRef {
  /** Unix seconds. */
  readonly not_before: number
  readonly state: KeyState
}

const key = { name: string({ maxLength: 63 }), scope: literal(...KEY_SCOPES) }
const make: Schema<Make> = object({
  ...key,
  after: integer({ min: 0 }),
  algorithm: literal(...KEY_ALGORITHMS),
})
const move: Schema<Move> = object({
  ...key,
  not_before: integer({ min: 0 }),
  state: literal(...KEY_STATES),
  version: integer({ min: 1 }),
})

export type Entry =
  | { readonly kind: 'signer.make'; readonly body: Make }
  | { readonly kind: 'signer.move'; readonly body: Move }

/** @throws KeyCustodyError `malformed` */
export function readEntry({ body, kind }: OutboundAction): Entry {
  if (kind === 'signer.make' && make.problem(body, '') === undefined)
    return { kind, body: body as unknown as Make }
  if (kind === 'signer.move' && move.problem(body, '') === undefined)
    return { kind, body: body as unknown as Move }
  throw new KeyCustodyError(
    'outbound/custody',
    'malformed',
    `this is no entry for custody: ${kind}`,
  )
}
