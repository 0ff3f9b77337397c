/** `assay/core`: the kernel for those who put its parts together by hand, with the errors that it throws and the types that it speaks. */
export type { Limits } from './core.ts'
export * from './error.ts'
export { type Json, type JsonLimits, parseJson } from './json.ts'
export * from './kernel.ts'
export type { LogReader } from './log/reader.ts'
export * from './request.ts'
export type { Obligation, Reason, Verdict } from './verdict.ts'
