/**
 * Explains decisions of one policy: it evaluates again, with a trace, and tells why the answer is what it is. Made when the first explanation is
 * asked for; an engine that decides knows nothing of it.
 */
import { EngineError } from '../../../../core/error.ts'
import type { Json } from '../../../../core/json.ts'
import type { Bundle } from '../../../../core/ports/compiler.ts'
import { parseValue } from '../../value/json.ts'
import { get, isObject, type Value } from '../../value/value.ts'
import { readPlan } from '../plan.ts'
import { compileRead, type Program } from '../program.ts'
import type { Seen, Trace } from '../trace.ts'
import { hasKind } from '../visit.ts'
import { Builder } from './build.ts'
import { Definitions } from './definitions.ts'
import type { Explanation, Missed } from './explanation.ts'
import { type Frame, isSomething } from './frames.ts'
import { nearestOf } from './nearest.ts'
import { Recorder } from './recorder.ts'
import { below, refusals } from './refusals.ts'
import { Structure } from './structure.ts'
import { type Masks, NO_MASKS, Veil } from './veil.ts'

export interface ExplainerOptions {
  /** OPA's syntax tree of each source, as `OpaCompiler.syntax` gives it. */
  readonly syntax: Readonly<Record<string, Json>>
  /** Steps that a traced evaluation may take. Default 2 million. */
  readonly maxSteps?: number
  /** Definitions that one explanation tells of. Default 300. */
  readonly maxRules?: number
}

export interface Explainer {
  readonly digest: string
  readonly revision: string
  /** @throws EngineError `unknown_entrypoint`, `evaluation_failed`, `budget_exhausted` */
  explain(entrypoint: string, input: string, masks?: Masks): Explained
}
export interface Explained {
  readonly explanation: Explanation
  /** What the traced evaluation answered, nothing hidden: to be compared with the decision. */
  readonly value: Value | undefined
}

const WHO = 'engine/jit/explain'
const MAX_STEPS = 2_000_000
const MAX_RULES = 300
const MAX_DEPTH = 16

/** @throws EngineError `invalid_bundle` */
export function createExplainer(bundle: Bundle, options: ExplainerOptions): Explainer {
  try {
    return new PolicyExplainer(bundle, options)
  } catch (cause) {
    throw new EngineError(WHO, 'invalid_bundle', reasonOf(cause), { cause })
  }
}

class PolicyExplainer implements Explainer {
  readonly digest: string
  readonly revision: string
  readonly #program: Program
  readonly #structure: Structure
  readonly #data: Value
  readonly #tracer = new Relay()
  readonly #maxRules: number
  /** Whether a `with` puts something else where the input is, so that paths no longer say what lies there. */
  readonly #replaces: boolean

  constructor(
    bundle: Bundle,
    { syntax, maxRules = MAX_RULES, maxSteps = MAX_STEPS }: ExplainerOptions,
  ) {
    this.digest = bundle.digest
    this.revision = bundle.revision
    this.#maxRules = maxRules
    const tracer = this.#tracer
    const plan = readPlan(bundle.plan)
    this.#program = compileRead(plan, { trace: true, tracer, maxSteps })
    this.#data = parseValue(JSON.stringify(bundle.data))
    this.#replaces = hasKind(plan, 'WithStmt')
    this.#structure = new Structure(plan, this.#program.table, new Definitions(syntax))
  }

  explain(entrypoint: string, text: string, masks: Masks = NO_MASKS): Explained {
    if (!this.#program.entrypoints.includes(entrypoint))
      throw new EngineError(WHO, 'unknown_entrypoint', `no entry point ${entrypoint}`)
    const given = { input: parseValue(text), data: this.#data }
    const recorder = new Recorder(this.#structure, given)
    const value = this.#evaluate(entrypoint, given.input, recorder)
    const veil = new Veil(this.#replaces ? hidesAll(masks) : masks)
    const limits = { maxRules: this.#maxRules, maxDepth: MAX_DEPTH }
    const builder = new Builder(this.#structure, veil, given, limits)
    const outcome = outcomeOf(value)
    const first = this.#first(recorder.roots, value)
    const fired = recorder.roots.flatMap((root) => builder.fired(root, first))
    const missed =
      isSomething(value) && outcome !== 'denied' ? [] : this.#missed(recorder.roots, builder)
    const frames = recorder.roots
    const inflow = new Set(frames.flatMap((frame) => [...frame.inflow]))
    const shown = value === undefined ? {} : veil.show({ frames, inflow, value })
    const isNo = missed.length > 0 || outcome === 'denied'
    const nearest = isNo ? nearestOf(missed, fired, REFUSING) : undefined
    const explanation: Explanation = {
      type: 'assay.explanation/v1',
      entrypoint,
      policy: this.digest,
      revision: this.revision,
      outcome,
      ...(shown.value === undefined ? {} : { value: shown.value }),
      ...(nearest === undefined ? {} : { nearest }),
      fired,
      missed,
      hidden: veil.hidden,
      truncated: recorder.truncated || builder.truncated,
    }
    return { explanation, value }
  }

  #evaluate(entrypoint: string, input: Value, recorder: Recorder): Value | undefined {
    this.#tracer.to = recorder
    try {
      return this.#program.evaluate(entrypoint, input, this.#data, nowOf(input))
    } catch (cause) {
      const code = isExhausted(cause) ? 'budget_exhausted' : 'evaluation_failed'
      throw new EngineError(WHO, code, reasonOf(cause), { cause })
    } finally {
      this.#tracer.to = undefined
    }
  }

  /** What could have made the entry point say yes: the rules that grant, or else its own definitions. */
  #missed(roots: readonly Frame[], builder: Builder): readonly Missed[] {
    const all = reachable(roots, (one) => this.#isGranting(one) && isSomething(one.value))
    const isVerdict = roots.some(({ value }) => isObject(value))
    const granting = all.filter((one) => this.#isGranting(one) && !isSomething(one.value))
    if (isVerdict && granting.length > 0) return granting.flatMap((one) => builder.missed(one))
    const passed = all.filter(({ value }) => isObject(value) && outcomeOf(value) === 'denied')
    return [...new Set([...roots, ...passed])].flatMap((one) =>
      builder.missed(one, 0, ({ mayAllow }) => mayAllow),
    )
  }

  /** What is told first: of a yes the rules that grant, else what refused. */
  #first(roots: readonly Frame[], value: Value | undefined): ReadonlySet<Frame> {
    return outcomeOf(value) === 'allowed'
      ? new Set([...below(roots)].filter((one) => this.#isGranting(one)))
      : refusals(roots, value, (one) => REFUSING.has(this.#nameOf(one)))
  }

  #isGranting(frame: Frame): boolean {
    return GRANTING.has(this.#nameOf(frame))
  }

  #nameOf({ func }: Frame): string {
    return this.#structure.outlines[func]?.func.path.at(-1) ?? ''
  }
}

function hidesAll(masks: Masks): Masks {
  return masks.paths.length === 0 ? masks : { ...masks, everything: true }
}

/** Calls and what they called, the outer ones first; what is below one that is `settled` is left out. */
function reachable(roots: readonly Frame[], settled: (frame: Frame) => boolean): readonly Frame[] {
  const found = new Set(roots)
  for (const frame of found)
    for (const { furthest, reached } of frame.attempts.values())
      for (const { memory } of [...reached, ...(furthest ? [furthest] : [])])
        for (const called of memory.calls.values()) if (!settled(called)) found.add(called)
  return [...found]
}

/** Names by which rules that matter most are told first; an explanation holds without them. */
const GRANTING: ReadonlySet<string> = new Set(['allow', 'allowed', 'grant', 'granted', 'permit'])
const REFUSING: ReadonlySet<string> = new Set([
  'denied',
  'deny',
  'missing',
  'refusal',
  'violation',
  'violations',
])

function outcomeOf(value: Value | undefined): Explanation['outcome'] {
  if (value === undefined) return 'undefined'
  const answer = isObject(value) ? get(value, 'allow') : value
  if (typeof answer === 'boolean') return answer ? 'allowed' : 'denied'
  return 'value'
}

/** The `now` fact in nanoseconds, as for the engine that decides. */
function nowOf(input: Value): bigint | undefined {
  const now = get(input, 'now')
  return typeof now === 'number' && Number.isInteger(now) ? BigInt(now) * 1_000_000_000n : undefined
}

function isExhausted(cause: unknown): boolean {
  return cause instanceof Error && cause.constructor.name === 'BudgetExhausted'
}

/** Texts of failures name a place in the policy, never a value. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'the policy failed'
}

/** A program is compiled with one listener; each evaluation has its own. */
class Relay implements Trace {
  to: Trace | undefined

  enter(func: number, args: readonly Seen[]): void {
    this.to?.enter(func, args)
  }
  leave(func: number, value: Seen): void {
    this.to?.leave(func, value)
  }
  again(func: number, value: Seen): void {
    this.to?.again(func, value)
  }
  open(statement: number, values: readonly Seen[]): void {
    this.to?.open(statement, values)
  }
  element(statement: number, key: Value, value: Value): void {
    this.to?.element(statement, key, value)
  }
  close(statement: number): void {
    this.to?.close(statement)
  }
  passed(statement: number, values: readonly Seen[]): void {
    this.to?.passed(statement, values)
  }
  failed(statement: number, values: readonly Seen[]): void {
    this.to?.failed(statement, values)
  }
}
