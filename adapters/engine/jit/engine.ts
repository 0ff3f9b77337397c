/**
 * OPA's IR plan compiled to JavaScript: the default engine. Input and data are plain JavaScript values and are used as they are, so an
 * evaluation costs what the policy looks at and nothing for the rest.
 */
import { EngineError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { DataOperation, Engine, Policy, PolicyInput } from '../../../core/ports/engine.ts'
import { BUILTINS, CLOCK_AND_CHANCE, REFUSED } from '../builtins/index.ts'
import { nanoseconds } from '../builtins/now.ts'
import { type DataRevision, PatchError } from '../data/index.ts'
import { parseValue, toJson } from '../value/json.ts'
import { get, type Value } from '../value/value.ts'
import { dataOf } from './data.ts'
import { InputCheck, InvalidInput } from './input.ts'
import type { PackedPlan } from './packed.ts'
import { readPlan } from './plan.ts'
import { compileRead, loadPacked, type Program } from './program.ts'
import { BudgetExhausted, type ModuleFunction, PolicyFailure } from './runtime.ts'

const WHO = 'engine/jit'
const MAX_DEPTH = 1000

export interface JitEngineOptions {
  /**
   * Whether every input is looked at in full before it is evaluated; default true. Without it the caller vouches that `value` is what
   * JSON.parse makes, with well-formed strings and no integer beyond 2^53 - 1: an evaluation then costs nothing for what the policy does
   * not read.
   */
  readonly checkInputs?: boolean
  /**
   * Whether the engine takes the `data` of every bundle that it loads instead of a copy, so that a policy is ready sooner; default false.
   * The caller vouches that nobody else keeps them, as after JSON.parse, and loads no bundle twice.
   */
  readonly takesData?: boolean
  /** Steps that one evaluation may take, default 25 million: elements scanned, functions called, work that built-ins count. */
  readonly maxSteps?: number
  /** How deep an input may be nested, default 1000. Checked with `checkInputs` only. */
  readonly maxDepth?: number
  /** A failing built-in ends the evaluation (`evaluation_failed` with OPA's code) instead of being undefined; default false. */
  readonly strict?: boolean
  /** Loaded in the place of a plan, for the policy whose digest it has: made by `packPlan`, of this release, without `strict`. */
  readonly packed?: { readonly plan: PackedPlan; readonly made: ModuleFunction }
}

export function createJitEngine(options: JitEngineOptions = {}): Engine {
  return { name: WHO, load: async (bundle) => load(bundle, options) }
}

function load(bundle: Bundle, options: JitEngineOptions): Policy {
  try {
    const program = programOf(bundle, options)
    const missing = bundle.entrypoints.find((name) => !program.entrypoints.includes(name))
    if (missing !== undefined)
      throw new PolicyFailure('entrypoint', `it has no entry point ${missing}`)
    const { checkInputs = true, maxDepth = MAX_DEPTH, takesData = false } = options
    const data = dataOf(bundle.data, bundle.revision, program, takesData)
    const check = checkInputs ? new InputCheck({ maxDepth }) : undefined
    return new JitPolicy(bundle, { program, check }, data)
  } catch (cause) {
    throw new EngineError(WHO, 'invalid_bundle', reason(cause), { cause })
  }
}

function programOf(bundle: Bundle, options: JitEngineOptions): Program {
  const { maxSteps, packed, strict = false } = options
  const limits = { strict, ...(maxSteps === undefined ? {} : { maxSteps }) }
  if (packed?.plan.digest === bundle.digest && !strict) {
    refuseBuiltins(packed.plan.named, bundle)
    return loadPacked(packed.plan, packed.made, limits)
  }
  const plan = readPlan(bundle.plan)
  refuseBuiltins([...plan.builtins.keys()], bundle)
  return compileRead(plan, limits)
}

/** What varies between two evaluations is refused; the clock is a fact of `compat`. */
function refuseBuiltins(names: readonly string[], { capabilities }: Bundle): void {
  for (const name of names) {
    if (REFUSED.has(name)) throw new PolicyFailure('builtin', `built-in ${name} is refused`)
    if (CLOCK_AND_CHANCE.has(name) && !(capabilities === 'compat' && name === 'time.now_ns'))
      throw new PolicyFailure('builtin', `built-in ${name} may not decide`)
    if (!BUILTINS.has(name)) throw new PolicyFailure('builtin', `no built-in ${name}`)
  }
}

/** Built-ins that ask for the time. */
const CLOCKED: ReadonlySet<string> = new Set(['io.jwt.decode_verify', 'time.now_ns'])

/** What the revisions of one policy share. */
interface Parts {
  readonly program: Program
  readonly check: InputCheck | undefined
}

class JitPolicy implements Policy {
  readonly digest: string
  readonly revision: string
  readonly entrypoints: readonly string[]
  readonly #known: ReadonlySet<string>
  readonly #asksForTime: boolean
  readonly #parts: Parts
  #data: DataRevision | undefined

  constructor(
    { digest, entrypoints }: Pick<Bundle, 'digest' | 'entrypoints'>,
    parts: Parts,
    data: DataRevision,
  ) {
    this.digest = digest
    this.revision = data.name
    this.entrypoints = Object.freeze([...entrypoints])
    this.#known = new Set(entrypoints)
    this.#asksForTime = parts.program.builtins.some((name) => CLOCKED.has(name))
    this.#parts = parts
    this.#data = data
  }

  evaluate(entrypoint: string, input: PolicyInput): Json | undefined {
    const data = this.#open()
    if (!this.#known.has(entrypoint))
      throw new EngineError(WHO, 'unknown_entrypoint', `no entry point ${entrypoint}`)
    try {
      const value = this.#checked(input)
      const now = this.#asksForTime ? nanoseconds(get(value, 'now')) : undefined
      const answer = this.#parts.program.evaluate(entrypoint, value, data.root, now)
      return answer === undefined ? undefined : (toJson(answer) as Json)
    } catch (cause) {
      throw new EngineError(WHO, codeOf(cause), reason(cause), { cause })
    }
  }

  #checked({ value, text }: PolicyInput): Value {
    if (this.#parts.check?.check(value) === 'exact') return parseValue(text)
    return value as Value
  }

  /** In time that grows with what changes. The patched policy shares everything else with this one. */
  patch(operations: readonly DataOperation[], revision: string): Policy {
    const data = this.#open()
    try {
      return new JitPolicy(this, this.#parts, data.patch(operations, revision))
    } catch (cause) {
      if (!(cause instanceof PatchError)) throw cause
      throw new EngineError(WHO, 'invalid_patch', cause.message, { cause })
    }
  }

  #open(): DataRevision {
    if (this.#data === undefined) throw new EngineError(WHO, 'closed', 'the policy was closed')
    return this.#data
  }

  async close(): Promise<void> {
    this.#data = undefined
  }
}

function codeOf(cause: unknown): 'budget_exhausted' | 'evaluation_failed' | 'invalid_input' {
  if (cause instanceof InvalidInput) return 'invalid_input'
  return cause instanceof BudgetExhausted ? 'budget_exhausted' : 'evaluation_failed'
}

/** Names a place in the policy and what happened there, never a value. */
function reason(cause: unknown): string {
  if (cause instanceof PolicyFailure) return `${cause.code}: ${cause.message}`
  if (cause instanceof InvalidInput || cause instanceof BudgetExhausted) return cause.message
  if (cause instanceof RangeError) return `nested or counted too far: ${cause.message}`
  return cause instanceof Error ? cause.message : 'the policy failed'
}
