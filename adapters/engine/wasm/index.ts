export { createWasmEngine } from './engine.ts'
