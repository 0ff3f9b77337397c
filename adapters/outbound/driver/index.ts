/**
 * Performs `lease.teardown` and `lease.reset`: asks the driver of the cell, and reports the outcome as a decision of its own before the entry
 * leaves the outbox. It decides nothing: what an outcome means stands in policies/lease.
 *
 * Entries are performed at least once, so before a driver is asked the kernel is, by a dry run, whether the outcome still matters. A resource
 * that somebody else has meanwhile is not touched again; and so that nobody has it meanwhile, entries of one resource take turns.
 */
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel, Submission } from '../../../core/kernel.ts'
import type { Outbound, OutboundAction } from '../../../core/ports/outbound.ts'
import { Payload } from '../../../core/request.ts'
import { Turns } from '../../../core/turns.ts'
import { askDriver, type DriverAnswer, type DriverOptions } from './client.ts'
import { type Entry, readEntry } from './entries.ts'
import { DriverError } from './error.ts'

export type { DriverOptions } from './client.ts'
export { DriverError, type DriverErrorCode } from './error.ts'

/** `none`: the cell has no data plane, so there is nothing to tear down or to reset, and each counts as done. */
export type DriverChoice = DriverOptions | 'none'

export interface DriversOptions {
  /** By cell. A cell that is not named here has no way to tear down: each of its teardowns fails, with `no_driver`. */
  readonly drivers: Readonly<Record<string, DriverChoice>>
  /** Of the leases. It is asked in the name of the outbox: `{ kind: 'embedded', id: 'outbox' }`. */
  readonly kernel: Pick<Kernel, 'check' | 'decide'>
}

const PEER = { kind: 'embedded', id: 'outbox' } as const
/** Reasons with which the kernel says that this outcome has no effect any more. */
const SETTLED: ReadonlySet<string> = new Set([
  'epoch_stale',
  'not_fenced',
  'outcome_known',
  'outcome_settled',
])

export function createDrivers(options: DriversOptions): Outbound {
  const turns = new Turns()
  return {
    name: 'outbound/driver',
    kinds: ['lease.reset', 'lease.teardown'],
    async perform(action, signal) {
      const entry = readEntry(action)
      return turns.take(entry.body.resource, signal, () => settle(options, action, entry, signal))
    },
  }
}

async function settle(
  { drivers, kernel }: DriversOptions,
  action: OutboundAction,
  entry: Entry,
  signal: AbortSignal,
): Promise<Json> {
  const before = await kernel.check(outcome(entry, { ok: true }))
  const settled = settledBy(before)
  if (settled !== undefined) return { settled }
  const { cell } = entry.body
  const driver = Object.hasOwn(drivers, cell) ? drivers[cell] : undefined
  const answer = await ask(driver, action, entry, signal)
  // Nothing is decided about a resource that was not reset: it stays fenced, and an operator may ask again.
  if (entry.kind === 'lease.reset' && !answer.ok) return { ...answer }
  const decision = await kernel.decide(outcome(entry, answer), { seal: 'durable' })
  const late = settledBy(decision)
  return { ...answer, decision: decision.id, ...(late === undefined ? {} : { settled: late }) }
}

async function ask(
  driver: DriverChoice | undefined,
  { key }: OutboundAction,
  { body, kind }: Entry,
  signal: AbortSignal,
): Promise<DriverAnswer> {
  if (driver === undefined) return { ok: false, why: 'no_driver' }
  if (driver === 'none') return { ok: true }
  return askDriver(driver, key, { ...body, kind }, signal)
}

/** The decision that an answer asks for. */
function outcome({ body, kind }: Entry, { ok, why }: DriverAnswer): Submission {
  const { epoch, resource } = body
  if (kind === 'lease.reset')
    return submission('lease.observed', { epoch, resource, state: 'reset' })
  const said = why === undefined ? {} : { why }
  return submission('lease.torn-down', { epoch, lease: body.lease, ok, resource, ...said })
}

function submission(action: string, payload: Json): Submission {
  return { action, payload: Payload.fromJson(payload), peer: PEER }
}

/** Why there is nothing left to do; undefined when the outcome counts. @throws DriverError `undecided` */
function settledBy({ allow, reasons }: Pick<Decision, 'allow' | 'reasons'>): string | undefined {
  const code = reasons[0]?.code ?? ''
  if (SETTLED.has(code)) return code
  if (!allow) throw new DriverError('outbound/driver', 'undecided', `the kernel said ${code}`)
  return undefined
}
