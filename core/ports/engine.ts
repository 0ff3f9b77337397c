import type { Json } from '../json.ts'
import type { Bundle } from './compiler.ts'

/** One object in two forms that say the same: an engine takes the one that costs it less. */
export interface PolicyInput {
  readonly value: Json
  readonly text: string
}

/**
 * One change of a policy's data, as JSON Patch (RFC 6902) has it; `upsert` is that of OPA's delta bundles, which makes the objects on its
 * way. Paths are JSON pointers (RFC 6901).
 */
export type DataOperation =
  | {
      readonly op: 'add' | 'replace' | 'test' | 'upsert'
      readonly path: string
      readonly value: Json
    }
  | { readonly op: 'copy' | 'move'; readonly from: string; readonly path: string }
  | { readonly op: 'remove'; readonly path: string }

/**
 * A loaded policy. Pure: the answer is a function of (digest, revision, input). Evaluation is synchronous unless the engine is isolated
 * in a worker.
 */
export interface Policy {
  readonly digest: string
  readonly revision: string
  readonly entrypoints: readonly string[]
  /**
   * The value of an entry point, or undefined where the policy defines none (which the kernel denies). Nobody else holds what is returned.
   * @throws EngineError `evaluation_failed` (later calls are not affected), `budget_exhausted`, `invalid_input`, `engine_mismatch`,
   *   `unknown_entrypoint`, `timeout`, `closed`
   */
  evaluate(entrypoint: string, input: PolicyInput): Json | undefined | Promise<Json | undefined>
  /**
   * The same rules over changed data: all operations, or none. This policy goes on with the data that it has; the two may be asked in turn.
   *
   * @param revision of the changed data
   * @throws EngineError `invalid_patch` nothing changed; `timeout`, `closed`
   */
  patch(operations: readonly DataOperation[], revision: string): Policy | Promise<Policy>
  close(): Promise<void>
}

export interface Engine {
  readonly name: string
  /** @throws EngineError `invalid_bundle`: the bundle cannot be served; keep the last good one. */
  load(bundle: Bundle): Promise<Policy>
}
