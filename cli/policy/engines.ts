/** The engines that a verb asks. */
import { createJitEngine } from '../../adapters/engine/jit/index.ts'
import { createWasmEngine } from '../../adapters/engine/wasm/index.ts'
import type { Engine } from '../../core/ports/engine.ts'
import type { Workbench } from './workbench.ts'

export type EngineChoice = 'both' | 'jit' | 'wasm'

/** One after the other for `both`; that of the configuration when nothing is chosen. */
export async function enginesFor(
  choice: EngineChoice | undefined,
  { adapters }: Pick<Workbench, 'adapters'>,
): Promise<readonly Engine[]> {
  if (choice === undefined) return [await adapters.get('engine')]
  const chosen: Engine[] = []
  if (choice !== 'wasm') chosen.push(createJitEngine())
  if (choice !== 'jit') chosen.push(createWasmEngine())
  return chosen
}
