/**
 * OPA's own compiler, tester and evaluator, version 1.22.0, as a WebAssembly module (`go/`, `rebuild.sh`): Rego without a Go tool chain.
 * The policy bytes are those of `opa build -t wasm`.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../../core/canonical.ts'
import { CompilerError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type {
  BuildOptions,
  Bundle,
  CapabilitySet,
  CheckOptions,
  Compiler,
  Problem,
  Sources,
  TestOptions,
  TestReport,
} from '../../../core/ports/compiler.ts'
import { capabilitySet } from './capabilities.ts'
import { CompiledFolder } from './compiled.ts'
import { type Sorted, sortSources } from './sources.ts'
import { type Answer, type Ask, CompilerThread, WHO } from './thread.ts'

export interface OpaCompilerOptions {
  /** Milliseconds for one call, the compiler's start included; default 30,000. */
  readonly deadlineMs?: number
  /** Milliseconds without a call after which its memory (about 350 MB) is given back; default 30,000. */
  readonly idleMs?: number
  /** A folder in which what was compiled is kept for later processes. Default: nowhere. */
  readonly compiled?: string
}

/** What OPA's evaluator says for one input: `{}` where the query is undefined. */
export interface Evaluation {
  readonly value?: Json
  readonly problem?: Problem
}

export interface OpaCompiler extends Compiler {
  /** Runs OPA's own evaluator: the reference for engines, and slow. @throws CompilerError `invalid_policy`, `timeout` */
  evaluate(sources: Sources, options: EvaluateOptions): Promise<readonly Evaluation[]>
  /** Every built-in of this OPA, and the names of those that its WebAssembly runtime has itself. */
  declared(): Promise<{ readonly capabilities: Json; readonly native: readonly string[] }>
}
export interface EvaluateOptions {
  readonly capabilities: CapabilitySet
  readonly entrypoint: string
  readonly inputs: readonly Json[]
}

/** Starts its thread at the first call. */
export function createOpaCompiler(options: OpaCompilerOptions = {}): OpaCompiler {
  return new OpaCompilerAdapter(options)
}

class OpaCompilerAdapter implements OpaCompiler {
  readonly name: string = WHO
  readonly version: string = 'opa 1.22.0'
  readonly #thread: CompilerThread
  readonly #compiled: CompiledFolder | undefined

  constructor({ deadlineMs = 120_000, idleMs = 30_000, compiled }: OpaCompilerOptions) {
    this.#thread = new CompilerThread(deadlineMs, idleMs)
    this.#compiled = compiled === undefined ? undefined : new CompiledFolder(compiled)
  }

  async build(sources: Sources, options: BuildOptions): Promise<Bundle> {
    const { policies, data } = sorted(sources)
    const capabilities = capabilitySet(options.capabilities)
    const answer = await this.#built({
      op: 'build',
      modules: policies,
      data,
      capabilities,
      // Their order shows in the bytes, so it must not depend on the caller.
      entrypoints: [...new Set(options.entrypoints)].sort(),
    })
    const entrypoints = answer.entrypoints!
    const document = canonicalJson(data)
    const listing = {
      capabilities: { name: options.capabilities, sha256: sha256(canonicalJson(capabilities)) },
      compiler: this.version,
      entrypoints,
      sources: Object.fromEntries(Object.entries(policies).map(([p, t]) => [p, sha256(t)])),
    }
    return {
      digest: `sha256:${sha256(canonicalJson(listing))}`,
      revision: `sha256:${sha256(document)}`,
      sources: policies,
      // In one order of members, whatever the files had: one revision, one value.
      data: JSON.parse(document) as Json,
      capabilities: options.capabilities,
      entrypoints,
      wasm: answer.wasm!,
      plan: answer.plan!,
    }
  }

  async check(sources: Sources, options: CheckOptions): Promise<readonly Problem[]> {
    const { policies, tests, data, problems } = sortSources(sources)
    if (problems.length > 0) return problems
    const { problems: found = [] } = await this.#thread.ask({
      op: 'check',
      modules: { ...policies, ...tests },
      data,
      capabilities: capabilitySet(options.capabilities),
      ...(options.schemas === undefined ? {} : { schemas: options.schemas }),
    })
    return found
  }

  async format(sources: Sources): Promise<Sources> {
    const { policies, tests } = sorted(sources)
    const { formatted } = await this.#ask({ op: 'format', modules: { ...policies, ...tests } })
    return formatted!
  }

  async test(sources: Sources, options: TestOptions): Promise<TestReport> {
    const { policies, tests, data } = sorted(sources)
    const answer = await this.#ask({
      op: 'test',
      modules: { ...policies, ...tests },
      data,
      capabilities: capabilitySet(options.capabilities),
      run: options.run ?? '',
      coverage: options.coverage ?? false,
    })
    const report = { tests: answer.tests ?? [] }
    return answer.coverage === undefined ? report : { ...report, coverage: answer.coverage }
  }

  async evaluate(sources: Sources, options: EvaluateOptions): Promise<readonly Evaluation[]> {
    const { policies, data } = sorted(sources)
    const answer = await this.#ask({
      op: 'eval',
      modules: policies,
      data,
      capabilities: capabilitySet(options.capabilities),
      query: options.entrypoint,
      inputs: options.inputs,
    })
    return answer.values ?? []
  }

  async syntax(sources: Sources): Promise<Readonly<Record<string, Json>>> {
    const { policies, tests } = sorted(sources)
    const { syntax } = await this.#ask({ op: 'syntax', modules: { ...policies, ...tests } })
    return syntax ?? {}
  }

  async declared(): Promise<{ capabilities: Json; native: readonly string[] }> {
    const { capabilities, native } = await this.#ask({ op: 'capabilities', modules: {} })
    return { capabilities: capabilities!, native: native! }
  }

  async close(): Promise<void> {
    await this.#thread.close()
  }

  async #built(ask: Ask): Promise<Answer> {
    this.#thread.assertOpen()
    const known = await this.#compiled?.read(ask)
    if (known !== undefined) return known
    const answer = await this.#ask(ask)
    await this.#compiled?.write(ask, answer)
    return answer
  }

  async #ask(ask: Ask): Promise<Answer> {
    const answer = await this.#thread.ask(ask)
    if (answer.problems !== undefined) throw invalid(answer.problems)
    return answer
  }
}

function sorted(sources: Sources): Sorted {
  const found = sortSources(sources)
  if (found.problems.length > 0) throw invalid(found.problems)
  return found
}

function invalid(problems: readonly Problem[]): CompilerError {
  const [{ file, row, message } = { message: 'no reason given' } as Problem] = problems
  const place = file === undefined ? '' : `${file}${row === undefined ? '' : `:${row}`}: `
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new CompilerError(WHO, 'invalid_policy', `${place}${message}${more}`, problems)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
