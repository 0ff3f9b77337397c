import { engineConformance } from '../../../test/conformance/engine.ts'
import { createJitEngine } from '../jit/index.ts'
import { createWasmEngine } from '../wasm/index.ts'
import { createBothEngine } from './index.ts'

engineConformance({
  name: 'engine/both',
  open: () =>
    createBothEngine({
      first: createJitEngine(),
      second: createWasmEngine(),
      report: () => undefined,
    }),
})
