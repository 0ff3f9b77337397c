export { copied } from './data.ts'
export type { DataPath } from './data-only.ts'
export { createJitEngine, type JitEngineOptions } from './engine.ts'
export { type PackedPlan, packPlan } from './packed.ts'
export { PlanError } from './plan.ts'
export {
  type CompileOptions,
  compilePlan,
  emitModule,
  loadModule,
  type Program,
} from './program.ts'
export { BudgetExhausted, type ModuleFunction, PolicyFailure } from './runtime.ts'
export type { FunctionPlace, Seen, StatementPlace, Trace, TraceTable } from './trace.ts'
