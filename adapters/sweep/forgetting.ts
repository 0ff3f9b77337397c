/**
 * Has the kernel forget what dies with its tokens: revocations, counters, nonces of proofs, reports. Whether something is over is decided by
 * the policies; here is only the walk. It writes nothing where nothing is over: it asks for a dry run first.
 */
import { NoDecision } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import { isKernelReason } from '../../core/log/leaves.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { keepSweeping, type Sweeper, type SweepOptions } from './sweeping.ts'

export interface ForgettingOptions extends SweepOptions {
  readonly kernel: Pick<Kernel, 'check' | 'decide'>
  readonly store: Pick<Store, 'list'>
  readonly clock: Pick<Clock, 'now'>
}

/** What one decision of `capability.sweep` takes. */
const BATCH = 64
const PREFIXES = ['nonce/', 'reported/', 'spent/']

/** A sweep counts the decisions that removed something. @throws NoDecision `unavailable`: the kernel itself denied one */
export function keepForgetting(options: ForgettingOptions): Sweeper {
  return keepSweeping(
    async (signal) => (await revocations(options, signal)) + (await records(options, signal)),
    options,
  )
}

async function revocations({ kernel }: ForgettingOptions, signal: AbortSignal): Promise<number> {
  let decisions = 0
  while (!signal.aborted && (await swept(kernel, 'announce.sweep', {}))) decisions++
  return decisions
}

async function records(
  { clock, kernel, store }: ForgettingOptions,
  signal: AbortSignal,
): Promise<number> {
  const now = Math.floor(clock.now() / 1000)
  let decisions = 0
  let keys: string[] = []
  const flush = async (): Promise<void> => {
    if (keys.length > 0 && (await swept(kernel, 'capability.sweep', { keys }))) decisions++
    keys = []
  }
  for (const prefix of PREFIXES)
    for await (const { key, value } of store.list('capability', prefix)) {
      if (signal.aborted) return decisions
      const { until } = JSON.parse(decoder.decode(value)) as { readonly until: number }
      if (until >= now) continue
      keys.push(key.sort)
      if (keys.length === BATCH) await flush()
    }
  await flush()
  return decisions
}
const decoder = new TextDecoder()

/** Whether anything was removed. */
async function swept(
  kernel: Pick<Kernel, 'check' | 'decide'>,
  action: string,
  payload: Json,
): Promise<boolean> {
  const submission: Submission = { action, payload: Payload.fromJson(payload) }
  const { allow, reasons } = await kernel.check(submission)
  const denied = reasons.find(({ code }) => isKernelReason(code))
  if (denied) throw new NoDecision('unavailable', `${action} could not be asked: ${denied.code}`)
  return allow && (await kernel.decide(submission, { seal: 'durable' })).allow
}
