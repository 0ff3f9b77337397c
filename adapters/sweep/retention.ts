/**
 * Asks the policy, at intervals, which openings have been kept for long enough, and has them erased. What is due stands in Rego; here is
 * only the walk through the log. A walk writes nothing where nothing is due: it asks for a dry run first.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { NoDecision } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Decision, Kernel, Submission } from '../../core/kernel.ts'
import { isKernelReason } from '../../core/log/leaves.ts'
import { Payload } from '../../core/request.ts'
import { keepSweeping, type Sweeper, type SweepOptions } from './sweeping.ts'

export const EXPIRE = 'audit.expire'

/** A sweep counts the decisions whose openings went. @throws NoDecision `unavailable`: of some nobody could tell whether they are due */
export function keepRetention(
  kernel: Pick<Kernel, 'check' | 'decide'>,
  options: SweepOptions,
): Sweeper {
  return keepSweeping((signal) => walk(kernel, signal), options)
}

async function walk(
  kernel: Pick<Kernel, 'check' | 'decide'>,
  signal: AbortSignal,
): Promise<number> {
  let erased = 0
  const failed = new Set<string>()
  for (let from: string | undefined = '0'; from !== undefined; ) {
    // A dry run over what lies in memory waits for nothing: without this a long log would keep everybody else waiting.
    await nextTurn()
    if (signal.aborted) return erased
    const submission = expireFrom(from)
    const would = await kernel.check(submission)
    for (const code of kernelCodes(would)) failed.add(code)
    if (would.allow) {
      const decision = await kernel.decide(submission, { seal: 'durable' })
      for (const code of kernelCodes(decision)) failed.add(code)
      if (decision.allow) erased += member(decision.output, 'erased') as number
    }
    from = member(would.output, 'next') as string | undefined
  }
  if (failed.size > 0)
    throw new NoDecision('unavailable', `not all could be looked at: ${[...failed].join(', ')}`)
  return erased
}

/** The kernel's own denials: not that nothing is due, but that nobody could tell. */
function kernelCodes({ reasons }: Pick<Decision, 'reasons'>): readonly string[] {
  return reasons.map(({ code }) => code).filter(isKernelReason)
}

function expireFrom(from: string): Submission {
  return {
    action: EXPIRE,
    payload: Payload.fromJson({ from }),
    peer: { kind: 'kernel', id: 'retention' },
  }
}

/** Of the policy's output, whose form its own tests hold. */
function member(output: Json | undefined, name: string): Json | undefined {
  return (output as { readonly [name: string]: Json } | undefined)?.[name]
}
