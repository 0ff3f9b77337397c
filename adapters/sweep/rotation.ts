/**
 * Asks the kernel, at intervals, to do with managed keys what is due: rotate, activate what every verifier has acknowledged, retire what is
 * over its grace. Which keys there are it reads from the plugin's records; what is due is decided by the policy, in a dry run first, so that
 * nothing is logged while nothing is.
 */
import { NoDecision } from '../../core/error.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import { isKernelReason } from '../../core/log/leaves.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { SIGNER, versionsOf } from '../../formats/signingkey/index.ts'
import { keepSweeping, type Sweeper, type SweepOptions } from './sweeping.ts'

export interface RotationOptions extends SweepOptions {
  readonly kernel: Pick<Kernel, 'check' | 'decide'>
  readonly store: Pick<Store, 'list'>
}

const PEER = { kind: 'kernel', id: 'rotation' } as const

/** A sweep counts what was done. @throws NoDecision `unavailable`: the kernel itself denied some of it */
export function keepRotation(options: RotationOptions): Sweeper {
  return keepSweeping((signal) => sweep(options, signal), options)
}

async function sweep({ kernel, store }: RotationOptions, signal: AbortSignal): Promise<number> {
  const failed = new Set<string>()
  let done = 0
  for await (const { key, value } of store.list(SIGNER, 'key/')) {
    const [, scope = '', name = ''] = key.sort.split('/')
    for (const proposal of proposals(scope, name, JSON.parse(decoder.decode(value)))) {
      if (signal.aborted) return done
      const came = await propose(kernel, proposal)
      if (typeof came === 'string') failed.add(came)
      else if (came) done++
    }
  }
  if (failed.size > 0)
    throw new NoDecision('unavailable', `some keys were not looked at: ${[...failed].join(', ')}`)
  return done
}
const decoder = new TextDecoder()

/** What could be due. */
function proposals(
  scope: string,
  name: string,
  record: Parameters<typeof versionsOf>[0],
): readonly Submission[] {
  const key = { name, scope }
  const versions = versionsOf(record)
  const next = versions.findLast(({ state }) => state === 'pre-active')
  return [
    ...versions
      .filter(({ state }) => state === 'grace')
      .map(({ version }) => asked('signer.retire', { ...key, version })),
    ...(next === undefined ? [] : [asked('signer.activate', { ...key, version: next.version })]),
    asked('signer.rotate', key),
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
