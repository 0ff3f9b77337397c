/** The engine that tests decide with: both of ours side by side, so that whatever is decided anywhere holds them to the same answers. */
import { createBothEngine } from '../adapters/engine/both/index.ts'
import { createJitEngine } from '../adapters/engine/jit/index.ts'
import { createWasmEngine } from '../adapters/engine/wasm/index.ts'
import type { Engine } from '../core/ports/engine.ts'

/** As a kernel opens them. Where they differ, the decision is a denial and the process says so. */
export function testEngine(): Engine {
  return createBothEngine({
    first: createJitEngine({ checkInputs: false }),
    second: createWasmEngine(),
    report: (comparison) => {
      if (comparison.outcome === 'mismatch') console.error(JSON.stringify(comparison))
    },
  })
}
