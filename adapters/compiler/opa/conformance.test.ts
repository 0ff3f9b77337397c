import { compilerConformance } from '../../../test/conformance/compiler.ts'
import { createOpaCompiler } from './index.ts'

compilerConformance({ name: 'compiler/opa', open: createOpaCompiler })
