/** What a plugin refuses before it becomes a decision: no leaf of its own, so that a flood cannot fill the log. */
import type { Core } from './core.ts'
import { NoDecision } from './error.ts'
import { GuardedReads } from './reads.ts'
import type { TrialOptions } from './trial.ts'

/** Undefined where there is nothing to wait for. `refused` is told what is counted. @throws NoDecision `refused` */
export function screen(
  core: Core,
  { deadline, request }: TrialOptions,
  refused: (action: string, why: string) => void,
): Promise<void> | undefined {
  const plugin = core.registry.find(request.action)?.plugin
  if (plugin?.screen === undefined) return undefined
  const screening = plugin.screen(request, new GuardedReads(core.store, plugin, core.cache))
  return deadline.race(Promise.resolve(screening)).then((why) => {
    if (why === undefined) return
    refused(request.action, why)
    throw new NoDecision('refused', why)
  })
}
