export {
  type Assay,
  type AssayOptions,
  type CallOptions,
  createAssay,
  type Evaluation,
} from './embedded.ts'
export type { Found, FoundPage, Queries, SearchCallOptions } from './search.ts'
