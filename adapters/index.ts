/** `assay`: decisions in process, from a configuration file or the embedded defaults. */
import { type ComposeOptions, compose } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { type Assay, type AssayOptions, createAssay } from './transport/embedded/index.ts'

export {
  type Composed,
  type ComposeOptions,
  compose,
  type Part,
  type PolicyEvent,
} from './compose.ts'
export type { Config } from './config/complete.ts'
export { type LoadOptions, loadConfig } from './config/load.ts'
export type { Adapter, Extension } from './extension/extension.ts'
export * from './transport/embedded/index.ts'

export interface OpenOptions extends AssayOptions, ComposeOptions {
  /** A configuration file, YAML or JSON. Without it: sqlite and keys in the data folder, the package's own policies, example state. */
  readonly config?: string
  /** The data folder; wins over the configuration's. Default `.assay` in the working folder. */
  readonly data?: string
}

/**
 * Opens the log, compiles the policies and is ready to decide.
 *
 * @throws ConfigError, StoreError (`locked`: another process has this data folder), CustodyError, CompilerError and the rest of a start;
 *   nothing is left open then
 */
export async function open(options: OpenOptions = {}): Promise<Assay> {
  const { config: file, data } = options
  const config = await loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(data === undefined ? {} : { data }),
  })
  const composed = await compose(config, options)
  const assay = createAssay(composed.kernel, { seal: config.seal, ...options })
  return {
    decide: (evaluation, call) => assay.decide(evaluation, call),
    decideAction: (action, payload, call) => assay.decideAction(action, payload, call),
    check: (evaluation, call) => assay.check(evaluation, call),
    search: (kind, query, call) => assay.search(kind, query, call),
    searchAll: (kind, query, call) => assay.searchAll(kind, query, call),
    receipt: (id) => assay.receipt(id),
    async close() {
      await assay.close()
      await composed.close()
    },
  }
}
