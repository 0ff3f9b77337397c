/** The engine that a configuration names: one of ours, or two side by side, in this thread or in a worker each. */
import type { Engine } from '../core/ports/engine.ts'
import type { Adapters } from './compose.ts'
import type { OwnEngine } from './config/complete.ts'

/** What every own engine is opened with. The kernel has looked at the whole input before it asks. */
type Limits = { readonly checkInputs: false; readonly maxSteps?: number }

const EXPORTS = { jit: 'createJitEngine', wasm: 'createWasmEngine' } as const
type Kind = keyof typeof EXPORTS

/** Closed with the adapters, where there is anything to close. */
export async function openOwnEngine(adapters: Adapters, choice: OwnEngine): Promise<Engine> {
  const { kind } = choice
  if (kind !== 'both') return openOne(adapters, kind, choice)
  const { createBothEngine } = await import('./engine/both/index.ts')
  return createBothEngine({
    first: await openOne(adapters, 'jit', choice),
    second: await openOne(adapters, 'wasm', choice),
    report: (comparison) => adapters.compared(comparison),
  })
}

async function openOne(
  adapters: Adapters,
  kind: Kind,
  { deadlineMs, isolation, maxSteps }: OwnEngine,
): Promise<Engine> {
  const limits: Limits = { checkInputs: false, ...(maxSteps === undefined ? {} : { maxSteps }) }
  if (isolation === 'worker') return openIsolated(adapters, kind, deadlineMs, limits)
  if (kind === 'jit') return (await import('./engine/jit/index.ts')).createJitEngine(limits)
  return (await import('./engine/wasm/index.ts')).createWasmEngine(limits)
}

async function openIsolated(
  adapters: Adapters,
  kind: Kind,
  deadlineMs: number,
  options: Limits,
): Promise<Engine> {
  const { isolateEngine } = await import('./isolation/worker.ts')
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const module = new URL(`./engine/${kind}/index${extension}`, import.meta.url)
  const isolated = await isolateEngine(module, { deadlineMs, exportName: EXPORTS[kind], options })
  adapters.onClose(() => isolated.close())
  // By the engine's name, not the worker's: two of them have to be told apart.
  return { name: `engine/${kind}`, load: (bundle) => isolated.load(bundle) }
}
