export { type BothOptions, type Comparison, createBothEngine, type Mismatch } from './engine.ts'
