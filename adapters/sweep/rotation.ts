/**
 * Asks the kernel, at intervals, to do with managed keys what is due: rotate, activate what every verifier has acknowledged, retire what is
 * over its grace, and remove deliveries of secrets that nobody fetched. From the plugin's records it reads what may be due, so that keys which are not cost nothing; whether something is due, and
 * may be done, is decided by the policy, in a dry run first.
 */
import { NoDecision } from '../../core/error.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import { isKernelReason } from '../../core/log/leaves.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { SIGNER } from '../../formats/signingkey/index.ts'
import { keepSweeping, type Sweeper, type SweepOptions } from './sweeping.ts'

export interface RotationOptions extends SweepOptions {
  readonly kernel: Pick<Kernel, 'check' | 'decide'>
  readonly store: Pick<Store, 'list'>
  readonly clock: Pick<Clock, 'now'>
}

/** What matters here of a key's record. Times are Unix seconds. */
interface Kept {
  readonly auto: boolean
  readonly rotate_after: number
  readonly versions: readonly {
    readonly activated_at: number
    readonly grace_until: number
    readonly state: string
    readonly version: number
  }[]
}

const PEER = { kind: 'kernel', id: 'rotation' } as const

/** A sweep counts what was done. @throws NoDecision `unavailable`: the kernel itself denied some of it */
export function keepRotation(options: RotationOptions): Sweeper {
  return keepSweeping((signal) => sweep(options, signal), options)
}

async function sweep(options: RotationOptions, signal: AbortSignal): Promise<number> {
  const { clock, kernel, store } = options
  const failed = new Set<string>()
  let done = 0
  const count = (came: boolean | string): void => {
    if (typeof came === 'string') failed.add(came)
    else if (came) done++
  }
  for await (const { key, value } of store.list(SIGNER, 'key/')) {
    const [, scope = '', name = ''] = key.sort.split('/')
    const record = JSON.parse(decoder.decode(value)) as Kept
    for (const proposal of proposals({ name, scope }, record, clock.now() / 1000)) {
      if (signal.aborted) return done
      count(await propose(kernel, proposal))
    }
  }
  if (await isOver(store, clock.now() / 1000))
    count(await propose(kernel, asked('signer.expire', {})))
  if (failed.size > 0)
    throw new NoDecision('unavailable', `some keys were not looked at: ${[...failed].join(', ')}`)
  return done
}
const decoder = new TextDecoder()

/** Whether a delivery may be. */
async function isOver(store: RotationOptions['store'], now: number): Promise<boolean> {
  for await (const { value } of store.list(SIGNER, 'delivery/')) {
    const { expires_at } = JSON.parse(decoder.decode(value)) as { readonly expires_at: number }
    if (expires_at <= now) return true
  }
  return false
}

/** What could be due. */
function proposals(
  key: { readonly name: string; readonly scope: string },
  { auto, rotate_after, versions }: Kept,
  now: number,
): readonly Submission[] {
  const over = versions.filter(({ grace_until, state }) => state === 'grace' && grace_until <= now)
  const next = versions.findLast(({ state }) => state === 'pre-active')
  const active = versions.findLast(({ state }) => state === 'active')
  const old = active !== undefined && rotate_after > 0 && active.activated_at + rotate_after <= now
  return [
    ...over.map(({ version }) => asked('signer.retire', { ...key, version })),
    ...(auto && next ? [asked('signer.activate', { ...key, version: next.version })] : []),
    ...(old && !next ? [asked('signer.rotate', key)] : []),
  ]
}

function asked(action: string, payload: object): Submission {
  return { action, payload: Payload.fromJson(payload), peer: PEER }
}

/** Whether it was done; the kernel's own denial is no answer to that. */
async function propose(
  kernel: RotationOptions['kernel'],
  submission: Submission,
): Promise<boolean | string> {
  const would = await kernel.check(submission)
  const own = would.reasons.find(({ code }) => isKernelReason(code))
  if (own !== undefined) return own.code
  if (!would.allow) return false
  return (await kernel.decide(submission, { seal: 'durable' })).allow
}
