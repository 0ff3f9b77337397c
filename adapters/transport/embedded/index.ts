export {
  type Assay,
  type AssayOptions,
  type CallOptions,
  createAssay,
  type Evaluation,
} from './embedded.ts'
