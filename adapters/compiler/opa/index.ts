export { createOpaCompiler, type OpaCompiler, type OpaCompilerOptions } from './compiler.ts'
