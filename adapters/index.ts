/** `assay`: decisions in process, from a configuration file or the embedded defaults. */
import { KernelError } from '../core/error.ts'
import type { Decision } from '../core/kernel.ts'
import { type ComposeOptions, compose } from './compose.ts'
import type { ExplainedDecision, Explaining, Explanation } from './compose-explain.ts'
import { loadConfig } from './config/load.ts'
import {
  type Assay,
  type AssayOptions,
  type CallOptions,
  createAssay,
  type Evaluation,
} from './transport/embedded/index.ts'

export {
  type Composed,
  type ComposeOptions,
  compose,
  type Part,
  type PolicyEvent,
} from './compose.ts'
export {
  ExplainError,
  type ExplainErrorCode,
  type ExplainedDecision,
  type Explanation,
} from './compose-explain.ts'
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

export interface ExplainOptions extends CallOptions {
  /** Say why, beside the decision. It costs a compilation the first time, and a second, slower evaluation each time. Default false. */
  readonly explain?: boolean
}

/** With the reasons that were asked for, or why there are none: the decision stands either way. */
export interface DecisionWithReasons extends Decision {
  readonly explanation?: Explanation
  readonly unexplained?: { readonly code: string; readonly message: string }
}

/** Assay with its policies at hand, so that it can say why. */
export interface OpenAssay extends Assay {
  /** @throws as {@link Assay.decide} */
  decide(evaluation: Evaluation, options?: ExplainOptions): Promise<DecisionWithReasons>
  /** @throws as {@link Assay.decideAction} */
  decideAction(
    action: string,
    payload: unknown,
    options?: ExplainOptions,
  ): Promise<DecisionWithReasons>
  /** Of an earlier decision, under the policy that made it. @throws ExplainError, EngineError, CompilerError, StoreError */
  explain(decisionId: string): Promise<ExplainedDecision>
}

/**
 * Opens the log, compiles the policies and is ready to decide.
 *
 * @throws ConfigError, StoreError (`locked`: another process has this data folder), CustodyError, CompilerError and the rest of a start;
 *   nothing is left open then
 */
export async function open(options: OpenOptions = {}): Promise<OpenAssay> {
  const { config: file, data } = options
  const config = await loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(data === undefined ? {} : { data }),
  })
  const composed = await compose(config, options)
  const { explaining } = composed
  const assay = createAssay(composed.kernel, { seal: config.seal, ...options })
  return {
    decide: (evaluation, call) => withReasons(assay.decide(evaluation, call), call, explaining),
    decideAction: (action, payload, call) =>
      withReasons(assay.decideAction(action, payload, call), call, explaining),
    explain: (id) => explaining.decision(id),
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

/** What was decided has been committed: a failure to explain it is told, and changes nothing. */
async function withReasons(
  deciding: Promise<Decision>,
  options: ExplainOptions | undefined,
  explaining: Explaining,
): Promise<DecisionWithReasons> {
  const decision = await deciding
  if (options?.explain !== true) return decision
  try {
    const { explanation } = await explaining.decision(decision.id)
    return { ...decision, explanation }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const { code, message } = error
    return { ...decision, unexplained: { code, message } }
  }
}
