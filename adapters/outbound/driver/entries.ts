/** What the plugin `lease` puts into the outbox for drivers. */
import type { OutboundAction } from '../../../core/ports/outbound.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { DriverError } from './error.ts'

const { integer, object, string } = schema

export interface Teardown {
  readonly cell: string
  /** The state of the resource that this is about. */
  readonly epoch: number
  readonly generation: number
  readonly lease: string
  readonly resource: string
}
export interface Reset {
  readonly cell: string
  readonly epoch: number
  readonly resource: string
}

const common = { cell: string(), epoch: integer({ min: 0 }), resource: string() }
const teardown: Schema<Teardown> = object({
  ...common,
  generation: integer({ min: 1 }),
  lease: string(),
})
const reset: Schema<Reset> = object(common)

export type Entry =
  | { readonly kind: 'lease.reset'; readonly body: Reset }
  | { readonly kind: 'lease.teardown'; readonly body: Teardown }

/** @throws DriverError `malformed` */
export function readEntry({ body, kind }: OutboundAction): Entry {
  if (kind === 'lease.teardown' && teardown.problem(body, '') === undefined)
    return { kind, body: body as unknown as Teardown }
  if (kind === 'lease.reset' && reset.problem(body, '') === undefined)
    return { kind, body: body as unknown as Reset }
  throw new DriverError('outbound/driver', 'malformed', `this is no entry for a driver: ${kind}`)
}
