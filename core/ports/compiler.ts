import type { Json } from '../json.ts'

/** Which built-ins Rego may use. `trust`: deterministic, no clock, randomness, network or cryptography. `compat`: see DESIGN of OPA policies. */
export type CapabilitySet = 'compat' | 'trust'

/** Policy sources: path → text. Paths are relative, with `/`; `*.rego`, `data.json` / `*.json` data files, `*_test.rego`. */
export type Sources = Readonly<Record<string, string>>

/** Where a source is wrong. `row` and `col` are 1-based. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly file?: string
  readonly row?: number
  readonly col?: number
}

/** What an engine runs. The same sources give the same bytes and the same digest, on any machine. */
export interface Bundle {
  /** `sha256:<hex>` over the sources (tests left out), the capability set and the compiler's version. */
  readonly digest: string
  /** `sha256:<hex>` of the data documents. */
  readonly revision: string
  readonly sources: Sources
  readonly data: Json
  readonly capabilities: CapabilitySet
  /** Rego entry points such as `assay/access/decision`. */
  readonly entrypoints: readonly string[]
  /** OPA's WebAssembly policy, ABI 1.3. */
  readonly wasm: Uint8Array
  /** OPA's IR plan. */
  readonly plan: Json
  /** Of a signed bundle; a policy that was compiled here has none. */
  readonly release?: Release
}

/** What keeps a server from going back. */
export interface Release {
  /** The bundle's own revision: only ever grows. */
  readonly counter: number
  /** `sha256:<hex>` of everything in the bundle: one counter, one content. */
  readonly content: string
}

/** What `opa build`, `check`, `fmt` and `test` do, without a Go tool chain. */
export interface Compiler {
  readonly name: string
  /** Name and version of the compiler behind it, part of every bundle's digest. */
  readonly version: string
  /** @throws CompilerError `invalid_policy` with problems; `timeout` after its deadline. */
  build(sources: Sources, options: BuildOptions): Promise<Bundle>
  /** Problems found by a strict check; empty when there are none. `schemas`: JSON Schemas by annotation name, such as `schema.access`. */
  check(sources: Sources, options: CheckOptions): Promise<readonly Problem[]>
  /** The formatted text of each `.rego` source. @throws CompilerError `invalid_policy` */
  format(sources: Sources): Promise<Sources>
  /**
   * The tree of each module, tests too, in OPA's own JSON: every node has its `location` (row, col, and the text, base64) and rules have
   * their annotations. @throws CompilerError `invalid_policy`
   */
  syntax(sources: Sources): Promise<Readonly<Record<string, Json>>>
  /** Runs every `test_` rule. @throws CompilerError `invalid_policy`, `timeout` */
  test(sources: Sources, options: TestOptions): Promise<TestReport>
  close(): Promise<void>
}
export interface BuildOptions {
  readonly capabilities: CapabilitySet
  readonly entrypoints: readonly string[]
}
export interface CheckOptions {
  readonly capabilities: CapabilitySet
  readonly schemas?: Readonly<Record<string, Json>>
}
export interface TestOptions {
  readonly capabilities: CapabilitySet
  /** A regular expression (RE2); only tests whose `package.name` matches run. */
  readonly run?: string
  readonly coverage?: boolean
}
export interface TestReport {
  readonly tests: readonly TestCase[]
  readonly coverage?: { readonly percent: number; readonly files: readonly FileCoverage[] }
}
export interface TestCase {
  readonly package: string
  readonly name: string
  readonly outcome: 'error' | 'fail' | 'pass' | 'skip'
  readonly message?: string
  readonly file: string
  readonly row: number
}
/** Rows are 1-based and inclusive. */
export interface FileCoverage {
  readonly file: string
  readonly percent: number
  readonly notCovered: readonly { readonly from: number; readonly to: number }[]
}
