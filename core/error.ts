import type { Problem } from './ports/compiler.ts'

/**
 * Errors are for machinery that broke; reasons are for verdicts. Each port has one closed union of codes, stable across releases:
 * switch on `code`, never on `message`. Messages name who, what and the way out, and hold no secret and no payload.
 */
export abstract class KernelError<Code extends string = string> extends Error {
  readonly code: Code
  constructor(who: string, code: Code, what: string, options?: ErrorOptions) {
    super(`[${who}] ${code}: ${what}`, options)
    this.name = new.target.name
    this.code = code
  }
}

/**
 * `conflict` is not here: a lost race is an {@link Outcome}, not an error.
 * - `unknown_outcome`: the batch may or may not be committed; re-read by decision id before anything else.
 * - `unavailable`: nothing was committed; safe to retry.
 * - `denied` (credentials refused, or without a permission), `misconfigured` (no such table, another region or endpoint): the operator's too.
 * - `full`, `read_only`, `corrupt`, `locked`, `newer_version`: an operator must act; retrying cannot succeed.
 */
export type StoreErrorCode =
  | 'batch_too_large'
  | 'closed'
  | 'corrupt'
  | 'denied'
  | 'duplicate_key'
  | 'full'
  | 'invalid_key'
  | 'locked'
  | 'misconfigured'
  | 'newer_version'
  | 'read_only'
  | 'too_large'
  | 'unavailable'
  | 'unknown_outcome'
export class StoreError extends KernelError<StoreErrorCode> {}

/**
 * `retired`: re-read the list and sign with the active version. `unavailable`: safe to retry. `unknown_outcome`: list before trying again. The rest
 * need an operator.
 */
export type CustodyErrorCode =
  | 'algorithm_mismatch'
  | 'closed'
  | 'corrupt'
  | 'denied'
  | 'duplicate_key'
  | 'insecure_permissions'
  | 'invalid_name'
  | 'invalid_transition'
  | 'misconfigured'
  | 'not_active'
  | 'retired'
  | 'scope_mismatch'
  | 'too_large'
  | 'unavailable'
  | 'unknown_key'
  | 'unknown_outcome'
  | 'weak_key'
export class CustodyError extends KernelError<CustodyErrorCode> {}

/**
 * Of one evaluation, which the kernel denies: `evaluation_failed`, `invalid_input` (not plain JSON), `budget_exhausted` (more steps than the
 * policy may take), `engine_mismatch` (two engines disagree). `invalid_patch`: the data stays as it was. The rest: the bundle cannot serve.
 */
export type EngineErrorCode =
  | 'budget_exhausted'
  | 'closed'
  | 'engine_mismatch'
  | 'evaluation_failed'
  | 'invalid_bundle'
  | 'invalid_input'
  | 'invalid_patch'
  | 'timeout'
  | 'unknown_entrypoint'
export class EngineError extends KernelError<EngineErrorCode> {}

/**
 * `invalid_policy` carries {@link Problem}s with file, row and column. `timeout`: the deadline passed; the compiler works on.
 * `unavailable`: the compiler itself broke down; the next call starts a new one.
 */
export type CompilerErrorCode = 'closed' | 'invalid_policy' | 'timeout' | 'unavailable'
export class CompilerError extends KernelError<CompilerErrorCode> {
  readonly problems: readonly Problem[]
  constructor(
    who: string,
    code: CompilerErrorCode,
    what: string,
    problems: readonly Problem[] = [],
    options?: ErrorOptions,
  ) {
    super(who, code, what, options)
    this.problems = problems
  }
}

/** What a parser of the log's formats refuses, and what a proof fails on. */
export type LogErrorCode =
  | 'conflict'
  | 'inconsistent'
  | 'malformed'
  | 'missing'
  | 'proof_invalid'
  | 'signature_invalid'
  | 'too_large'
  | 'untrusted_key'
  | 'weak_key'
export class LogError extends KernelError<LogErrorCode> {}

/** What JSON text at the boundary is refused for (RFC 8259, RFC 7493). */
export type JsonErrorCode =
  | 'duplicate_key'
  | 'invalid_utf8'
  | 'lone_surrogate'
  | 'malformed'
  | 'number_range'
  | 'too_deep'
  | 'too_large'
export class JsonError extends KernelError<JsonErrorCode> {}

/** A plugin, effect, adapter or policy that may not be registered or served. Raised at start, before anything is served. */
export type RegistryErrorCode =
  | 'duplicate_action'
  | 'duplicate_adapter'
  | 'duplicate_effect'
  | 'duplicate_plugin'
  | 'invalid_plugin'
export class RegistryError extends KernelError<RegistryErrorCode> {}

/**
 * No decision was made: the caller must treat it as a deny.
 * - `overloaded`: retry after `retryAfterMs`. `unavailable`: the store or the clock failed; the outcome of this request is "nothing happened".
 * - `unknown_outcome`: it may have been committed; fetch it by `decisionId`.
 * - `malformed`: the request's frame; nothing was dispatched. `aborted`: the caller's signal fired before the commit.
 * - `idempotency_mismatch`: the key was used with another request. `closed`: the kernel is shutting down.
 * - Of a search: `search_budget`: too many candidates, results or milliseconds; narrow the query or ask for smaller pages.
 *   `invalid_page_token`: it is not of this search, or the policy was swapped; start over. `not_searchable`: nothing lists what may be
 *   found, or the policy allows names that no index has.
 */
export type NoDecisionCode =
  | 'aborted'
  | 'closed'
  | 'idempotency_mismatch'
  | 'invalid_page_token'
  | 'malformed'
  | 'not_searchable'
  | 'overloaded'
  | 'refused'
  | 'search_budget'
  | 'unavailable'
  | 'unknown_outcome'
export class NoDecision extends KernelError<NoDecisionCode> {
  readonly retryAfterMs?: number
  readonly decisionId?: string
  constructor(
    code: NoDecisionCode,
    what: string,
    options: ErrorOptions & { retryAfterMs?: number; decisionId?: string } = {},
  ) {
    super('kernel', code, what, options)
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
    if (options.decisionId !== undefined) this.decisionId = options.decisionId
  }
}

/** A store that cannot even be read. */
export function asNoDecision(cause: unknown): NoDecision {
  if (cause instanceof NoDecision) return cause
  return new NoDecision('unavailable', 'the store failed', { cause, retryAfterMs: 1000 })
}

/** Raised at start: the transport serves nothing. `address_in_use`: stop the other program, or choose another port. */
export type TransportErrorCode = 'address_in_use' | 'invalid_options'
export class TransportError extends KernelError<TransportErrorCode> {}

/** A configuration file that cannot be used, or names what is not there. Raised before anything is opened. */
export type ConfigErrorCode = 'invalid_config' | 'not_found' | 'unknown_adapter' | 'unknown_plugin'
export class ConfigError extends KernelError<ConfigErrorCode> {
  readonly problems: readonly ConfigProblem[]
  constructor(code: ConfigErrorCode, what: string, problems: readonly ConfigProblem[] = []) {
    super('config', code, what)
    this.problems = problems
  }
}
/** `line` and `col` are 1-based. */
export interface ConfigProblem {
  readonly file: string
  readonly line: number
  readonly col: number
  readonly message: string
}

/** An OPA bundle, or a folder laid out like one, that is not served. Raised before anything of it is used. */
export type BundleErrorCode =
  | 'conflict'
  | 'duplicate_file'
  | 'invalid_archive'
  | 'invalid_data'
  | 'invalid_manifest'
  | 'invalid_package'
  | 'not_found'
  | 'reserved_name'
  | 'too_large'
  | 'unsafe_path'
  | 'unsupported_version'
  | 'unverified_signature'
export class BundleError extends KernelError<BundleErrorCode> {}

export type AnyKernelError =
  | BundleError
  | CompilerError
  | ConfigError
  | CustodyError
  | EngineError
  | JsonError
  | LogError
  | NoDecision
  | RegistryError
  | StoreError
  | TransportError
