/** Whether decisions can be made now, and what else an operator should know. `docs/operations.md` says what to do about each code. */
import type { Admission } from './admission.ts'
import type { Core } from './core.ts'
import type { Readiness } from './kernel.ts'
import type { Outbox } from './outbox.ts'
import type { UnixSeconds } from './ports/clock.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Sealer } from './seal.ts'

export interface Condition {
  readonly core: Core
  readonly sealer: Sealer
  readonly outbox: Outbox
  readonly admission: Admission
}

export function readinessOf({ core, sealer, outbox, admission }: Condition): Readiness {
  const { committer } = core
  const policy = core.policy()
  const problems: string[] = []
  if (admission.closing) problems.push('closed')
  if (!policy) problems.push('no_policy')
  if (committer.failed) problems.push('store_failed')
  if (committer.stalled) problems.push('store_stalled')
  if (sealer.unsealed) problems.push('unsealed')
  if (core.merger?.overdue) problems.push('merge_overdue')
  if (clockBehind(core)) problems.push('clock_behind')
  return {
    ready: problems.length === 0,
    problems,
    degraded: outbox.failing ? ['outbox_failing'] : [],
    policy: policy && { digest: policy.digest, revision: policy.revision },
    size: sealer.size.toString(),
    sealed: (sealer.head?.size ?? 0n).toString(),
    inFlight: admission.inFlight,
    outbox: outbox.waiting,
    ...(core.shadow.state === undefined ? {} : { shadow: core.shadow.state }),
  }
}

/** Decisions made now would be older than what the log holds already. */
export function clockBehind({ clock, committer, limits }: Core): boolean {
  return clock.now() + limits.clockToleranceMs < committer.newestSeconds * 1000
}

/** Of the log's newest leaf. */
export async function newestTime(log: LogStore): Promise<UnixSeconds> {
  const size = await log.size()
  if (size === 0n) return 0
  const [leaf] = await log.leaves(size - 1n, 1)
  const { time, to } = JSON.parse(new TextDecoder().decode(leaf)) as { time?: number; to?: number }
  return time ?? to ?? 0
}
