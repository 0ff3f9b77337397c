/** What decisions put into the outbox for other kernels. Whatever else an entry holds, it is not performed. */
import type { OutboundAction } from '../../../core/ports/outbound.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { NAME, NONCE, SIGNATURE } from '../../../formats/call/index.ts'
import { PeerError } from './error.ts'

const { integer, json, literal, object, string } = schema

/** A message with room for the signature that stands beside it. */
export interface Broadcast {
  readonly cell: string
  readonly signatures: { readonly signature: string }
  readonly unsigned: string
}
export interface Fetch {
  readonly cell: string
}
/** A signed call for the kernel that keeps `cell`; `call.cell` is who calls. */
export interface Report {
  readonly body: Readonly<Record<string, unknown>>
  readonly call: { readonly cell: string; readonly nonce: string; readonly time: number }
  readonly cell: string
  readonly signatures: { readonly report: string }
}
/** The payload of `announce.revoke`, perhaps without a cell. */
export interface Revoke {
  readonly below?: number
  readonly cell?: string
  readonly id: string
  readonly kind: 'key' | 'lease' | 'tenant' | 'token'
  readonly until?: number
}

const schemas = {
  'announce.broadcast': object({
    cell: NAME,
    signatures: object({ signature: SIGNATURE }),
    unsigned: string({ maxLength: 87_382, pattern: /^[\w-]+$/ }),
  }),
  'announce.fetch': object({ cell: NAME }),
  'announce.revoke': object(
    { id: string({ maxLength: 128 }), kind: literal('key', 'lease', 'tenant', 'token') },
    { below: integer({ min: 0 }), cell: NAME, until: integer({ min: 0 }) },
  ),
  'capability.report': object({
    body: json(),
    call: object({ cell: NAME, nonce: NONCE, time: integer({ min: 0 }) }),
    cell: NAME,
    signatures: object({ report: SIGNATURE }),
  }),
} satisfies Readonly<Record<string, Schema<unknown>>>
interface Entries {
  readonly 'announce.broadcast': Broadcast
  readonly 'announce.fetch': Fetch
  readonly 'announce.revoke': Revoke
  readonly 'capability.report': Report
}

/** @throws PeerError `malformed_entry` */
export function readEntry<Kind extends keyof Entries>(
  { body }: Pick<OutboundAction, 'body'>,
  kind: Kind,
): Entries[Kind] {
  const problem = schemas[kind].problem(body, '')
  if (problem === undefined) return body as unknown as Entries[Kind]
  throw new PeerError('peers', 'malformed_entry', `this is no entry ${kind}: ${problem}`)
}
