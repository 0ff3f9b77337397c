import { engineConformance } from '../../../test/conformance/engine.ts'
import { createJitEngine } from './index.ts'

engineConformance({ name: 'engine/jit', open: createJitEngine })
