/** A plan compiled and ready to run on Rego's own values. */
import type { Json } from '../../../core/json.ts'
import type { Value } from '../value/value.ts'
import { Caches } from './caches.ts'
import { type DataPath, overlap } from './data-only.ts'
import { type Emitted, emit, HEAD } from './module.ts'
import type { PackedPlan } from './packed.ts'
import { type Plan, readPlan } from './plan.ts'
import { createRuntime, type Module, type ModuleFunction, PolicyFailure } from './runtime.ts'
import type { ProgramOptions } from './scope.ts'
import type { Trace, TraceTable } from './trace.ts'

export interface CompileOptions extends ProgramOptions {
  /** Steps that one evaluation may take: elements scanned, functions called, and what built-ins add. Default 25 million. */
  readonly maxSteps?: number
  /** Who is told, where `trace` is set. */
  readonly tracer?: Trace
}

export interface Program {
  readonly entrypoints: readonly string[]
  /** Built-ins that it calls through the library. */
  readonly builtins: readonly string[]
  /** What the numbers of a trace stand for; empty without `trace`. */
  readonly table: TraceTable
  /**
   * Undefined where the policy has no value. The answer may share parts with input and data: nobody may change them. Data are those of
   * the evaluation before, but for what {@link forget} and {@link caches} were told.
   *
   * @param now Unix nanoseconds, for `time.now_ns`
   * @throws PolicyFailure, BudgetExhausted, RangeError (nested too deep for the stack)
   */
  evaluate(
    entrypoint: string,
    input: Value | undefined,
    data: Value,
    now?: bigint,
  ): Value | undefined
  /** Something at these paths of the data differs from what the last evaluation saw; anything where they are left out. */
  forget(changed?: readonly DataPath[]): void
  /** What it keeps of containers: told of every change in place, before and after. */
  readonly caches: Caches
}

/** What a policy makes is an element a step: a few hundred megabytes at most. */
const MAX_STEPS = 25_000_000

/** Inherits what every array and every object inherits: something that can be enumerated is in it only after somebody put it there. */
const PLAIN: readonly unknown[] = []

/** The text of the module that {@link compilePlan} runs, to be kept and loaded where a program may not be made from text. */
export function emitModule(plan: Json, options: ProgramOptions = {}): string {
  return emit(readPlan(plan), options).text
}

/** @throws PlanError, PolicyFailure `unknown_builtin` */
export function compilePlan(plan: Json, options: CompileOptions = {}): Program {
  return compileRead(readPlan(plan), options)
}

/** The same of a plan that was read. */
export function compileRead(plan: Plan, options: CompileOptions = {}): Program {
  const emitted = emit(plan, options)
  const make = new Function(`return ${emitted.text.slice(HEAD.length)}`) as () => ModuleFunction
  return programOf(emitted, make(), options)
}

/** The same from a module that was loaded, made by {@link emitModule} from this plan with these options. */
export function loadModule(
  plan: Json,
  made: ModuleFunction,
  options: CompileOptions = {},
): Program {
  return programOf(emit(readPlan(plan), options), made, options)
}

/** The same without its plan. */
export function loadPacked(
  { builtins, dataOnly }: PackedPlan,
  made: ModuleFunction,
  options: CompileOptions = {},
): Program {
  const table = { functions: [], statements: [] }
  return programOf({ builtins, dataOnly: new Map(dataOnly), table }, made, options)
}

type Known = Pick<Emitted, 'builtins' | 'dataOnly' | 'table'>

function programOf(emitted: Known, make: ModuleFunction, options: CompileOptions): Program {
  const caches = new Caches()
  const module = make(createRuntime(caches, options.maxSteps ?? MAX_STEPS, options.tracer))
  return new CompiledProgram(emitted, module, caches)
}

class CompiledProgram implements Program {
  readonly entrypoints: readonly string[]
  readonly builtins: readonly string[]
  readonly table: TraceTable
  readonly caches: Caches
  readonly #module: Module
  readonly #dataOnly: ReadonlyMap<number, readonly DataPath[]>

  constructor(emitted: Known, module: Module, caches: Caches) {
    this.caches = caches
    this.#module = module
    this.#dataOnly = emitted.dataOnly
    this.entrypoints = Object.keys(module.entries)
    this.builtins = emitted.builtins
    this.table = emitted.table
  }

  evaluate(
    entrypoint: string,
    input: Value | undefined,
    data: Value,
    now?: bigint,
  ): Value | undefined {
    const { context, entries } = this.#module
    const entry = entries[entrypoint]
    if (entry === undefined) throw new RangeError('no such entry point')
    for (const _ in PLAIN)
      throw new PolicyFailure('polluted_prototype', 'a built-in prototype has members of its own')
    context.failure = undefined
    context.now = now
    if (context.memo.size > 0) context.memo.clear()
    return entry(input, data)
  }

  forget(changed?: readonly DataPath[]): void {
    for (const [rule, paths] of this.#dataOnly)
      if (changed === undefined || paths.some((path) => changed.some((one) => overlap(path, one))))
        this.#module.forget(rule)
  }
}
