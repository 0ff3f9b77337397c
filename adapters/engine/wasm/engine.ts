/**
 * OPA's WebAssembly policies through `@open-policy-agent/opa-wasm`, with its traps closed: the input is always given as JSON text, an
 * empty result set is undefined, whatever is thrown becomes an EngineError, and an instance that threw is never used again.
 */
import { EngineError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { DataOperation, Engine, Policy, PolicyInput } from '../../../core/ports/engine.ts'
import { CLOCK_AND_CHANCE } from '../builtins/index.ts'
import { PatchError, patched } from '../data/index.ts'
import { toJson } from '../value/json.ts'
import type { Value } from '../value/value.ts'
import { BudgetExhausted, PolicyAbort } from './abort.ts'
import { prepare, withData } from './image.ts'
import { type Image, type Instance, instantiate } from './instance.ts'

const WHO = 'engine/wasm'
/** WebAssembly memory never shrinks: an instance that grew by more than 32 MiB is replaced. */
const KEPT_GROWTH = 32 * 1024 * 1024
const MAX_STEPS = 10_000_000

export interface WasmOptions {
  /**
   * Steps that the built-ins of one evaluation may take, such as the elements of a range. WebAssembly itself counts none: whoever has to be
   * sure of an end puts the engine into a worker. Default ten million.
   */
  readonly maxSteps?: number
}

/** What varies between two evaluations is refused; the clock is a fact of `compat`. */
const REFUSED_IN: Readonly<Record<Bundle['capabilities'], ReadonlySet<string>>> = {
  compat: new Set([...CLOCK_AND_CHANCE].filter((name) => name !== 'time.now_ns')),
  trust: CLOCK_AND_CHANCE,
}

export function createWasmEngine({ maxSteps = MAX_STEPS }: WasmOptions = {}): Engine {
  return { name: WHO, load: (bundle) => load(bundle, maxSteps) }
}

async function load(bundle: Bundle, maxSteps: number): Promise<Policy> {
  try {
    const refused = REFUSED_IN[bundle.capabilities]
    const image = await prepare(bundle, { refused, maxSteps })
    const first = instantiate(image)
    const missing = bundle.entrypoints.find((name) => !first.entrypoints.has(name))
    if (missing !== undefined) throw new PolicyAbort(`it has no entry point ${missing}`)
    return new WasmPolicy(bundle, image, first)
  } catch (cause) {
    throw new EngineError(WHO, 'invalid_bundle', reason(cause), { cause })
  }
}

class WasmPolicy implements Policy {
  readonly digest: string
  readonly revision: string
  readonly entrypoints: readonly string[]
  readonly #known: ReadonlySet<string>
  readonly #keptBytes: number
  #image: Image | undefined
  #instance: Instance | undefined

  constructor(
    bundle: Pick<Bundle, 'digest' | 'entrypoints' | 'revision'>,
    image: Image,
    instance: Instance,
  ) {
    this.digest = bundle.digest
    this.revision = bundle.revision
    this.entrypoints = Object.freeze([...bundle.entrypoints])
    this.#known = new Set(bundle.entrypoints)
    this.#keptBytes = instance.memory.buffer.byteLength + KEPT_GROWTH
    this.#image = image
    this.#instance = instance
  }

  evaluate(entrypoint: string, input: PolicyInput): Json | undefined {
    if (this.#image === undefined) throw new EngineError(WHO, 'closed', 'the policy was closed')
    if (!this.#known.has(entrypoint))
      throw new EngineError(WHO, 'unknown_entrypoint', `no entry point ${entrypoint}`)
    try {
      this.#instance ??= instantiate(this.#image)
      const value = this.#instance.evaluate(checked(input.text), entrypoint)
      if (this.#instance.memory.buffer.byteLength > this.#keptBytes) this.#instance = undefined
      return value === undefined ? undefined : (toJson(value) as Json)
    } catch (cause) {
      // Its stack pointer and allocator are where the throw left them.
      this.#instance = undefined
      const code = cause instanceof BudgetExhausted ? 'budget_exhausted' : 'evaluation_failed'
      throw new EngineError(WHO, code, reason(cause), { cause })
    }
  }

  /** In time that grows with all of the data: OPA's runtime parses it again. */
  patch(operations: readonly DataOperation[], revision: string): Policy {
    if (this.#image === undefined) throw new EngineError(WHO, 'closed', 'the policy was closed')
    try {
      const data = JSON.parse(new TextDecoder().decode(this.#image.data)) as Value
      const image = withData(this.#image, patched(data, operations) as Json)
      const { digest, entrypoints } = this
      return new WasmPolicy({ digest, entrypoints, revision }, image, instantiate(image))
    } catch (cause) {
      const what = cause instanceof PatchError ? cause.message : reason(cause)
      throw new EngineError(WHO, 'invalid_patch', what, { cause })
    }
  }

  async close(): Promise<void> {
    this.#image = undefined
    this.#instance = undefined
  }
}

function checked(text: string): string {
  if (text.length === 0) throw new PolicyAbort('the input is empty')
  // Encoding would replace the half by U+FFFD: another input than the caller's.
  if (!text.isWellFormed()) throw new PolicyAbort('the input has half a surrogate pair')
  return text
}

/** What we throw ourselves names no value; what others throw might. */
function reason(cause: unknown): string {
  if (cause instanceof PolicyAbort) return cause.message
  if (cause instanceof RangeError) return 'it is too deep, or its answer loses digits as JSON'
  if (cause instanceof Error) return cause.constructor.name
  return typeof cause === 'string' ? cause : 'the policy failed'
}
