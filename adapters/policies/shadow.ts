/** The policies of a shadow: a second folder, completed and watched as the live one is, that never decides. */
import type { Kernel } from '../../core/kernel.ts'
import type { Compiler } from '../../core/ports/compiler.ts'
import type { Policy } from '../../core/ports/engine.ts'
import { loadFolder } from './folder.ts'
import { compilePolicies, keepPolicies, type PolicyEvent, type PolicyOptions } from './live.ts'

export interface ShadowOptions extends PolicyOptions {
  readonly watch: boolean
}

/** @throws CompilerError, EngineError, NoDecision: nothing follows */
export async function keepShadow(
  kernel: Pick<Kernel, 'shadow'>,
  compiler: Compiler,
  { watch, ...policies }: ShadowOptions,
  onPolicy: (event: PolicyEvent) => void,
): Promise<{ close(): Promise<void> }> {
  const known = await loadFolder(policies.dir)
  await kernel.shadow(await compilePolicies(known, policies, compiler))
  if (!watch) return { close: async () => undefined }
  const follower = {
    activate: async (bundle) => (await kernel.shadow(bundle)) as Policy,
  } satisfies Pick<Kernel, 'activate'>
  return keepPolicies(follower, compiler, { ...policies, known }, onPolicy)
}
