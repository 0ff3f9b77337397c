/**
 * Asks the kernel, at intervals, to expire the leases whose time is over. Which those are it reads from the plugin's index, `due/<seconds>/<lease>`
 * in the order of time, so that leases which are not due cost nothing; whether a lease is over is decided by the policy.
 */
import { NoDecision } from '../../core/error.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { keepSweeping, type Sweeper, type SweepOptions } from './sweeping.ts'

export const EXPIRE = 'lease.expire'

export interface ExpiryOptions extends SweepOptions {
  readonly kernel: Pick<Kernel, 'decide'>
  readonly store: Pick<Store, 'list'>
  readonly clock: Pick<Clock, 'now'>
}

/** Decisions under way at a time. */
const BATCH = 32
/** The policy's word for a lease that was renewed after it was listed. */
const RENEWED = 'lease_not_due'
const DUE = /^due\/(\d{12})\/([0-9a-f]{32})$/

/** A sweep counts the leases that ended. @throws NoDecision `unavailable`: some could not be decided */
export function keepExpiry(options: ExpiryOptions): Sweeper {
  return keepSweeping((signal) => expireDue(options, signal), options)
}

async function expireDue(options: ExpiryOptions, signal: AbortSignal): Promise<number> {
  const failed = new Set<string>()
  let ended = 0
  let batch: string[] = []
  const flush = async (): Promise<void> => {
    for (const expired of await Promise.all(batch.map((lease) => expire(options.kernel, lease))))
      if (typeof expired === 'object') failed.add(expired.failed)
      else if (expired === 'ended') ended++
    batch = []
  }
  for await (const lease of dueLeases(options)) {
    if (signal.aborted) return ended
    batch.push(lease)
    if (batch.length === BATCH) await flush()
  }
  await flush()
  if (failed.size > 0)
    throw new NoDecision('unavailable', `some leases did not expire: ${[...failed].join(', ')}`)
  return ended
}

async function* dueLeases({ clock, store }: ExpiryOptions): AsyncGenerator<string> {
  const now = Math.floor(clock.now() / 1000)
  for await (const { key } of store.list('lease', 'due/')) {
    const [, at = '', lease = ''] = DUE.exec(key.sort) ?? []
    if (Number(at) > now) return
    yield lease
  }
}

type Expired = 'ended' | 'renewed' | { readonly failed: string }

async function expire(kernel: Pick<Kernel, 'decide'>, lease: string): Promise<Expired> {
  const submission: Submission = { action: EXPIRE, payload: Payload.fromJson({ lease }) }
  try {
    const { allow, reasons } = await kernel.decide(submission, { seal: 'durable' })
    const code = reasons[0]?.code ?? 'denied'
    if (allow) return 'ended'
    return code === RENEWED ? 'renewed' : { failed: code }
  } catch (error) {
    if (error instanceof NoDecision) return { failed: error.code }
    throw error
  }
}
