import { engineConformance } from '../../../test/conformance/engine.ts'
import { createWasmEngine } from './index.ts'

engineConformance({ name: 'engine/wasm', open: createWasmEngine })
