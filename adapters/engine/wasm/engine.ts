/**
 * OPA's WebAssembly policies through `@open-policy-agent/opa-wasm`, with its traps closed: the input is always given as JSON text, an
 * empty result set is undefined, whatever is thrown becomes an EngineError, and an instance that threw is never used again.
 *
 * Numbers are exact up to 2^53 - 1: larger ones travel as decimal strings.
 */
import { EngineError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { Engine, Policy, PolicyInput } from '../../../core/ports/engine.ts'
import { type Image, type Instance, instantiate, PolicyAbort } from './instance.ts'

const WHO = 'engine/wasm'
const PAGE = 65_536
const MAX_PAGES = 65_536
/** Parsed data takes about ten times its text; growing page by page while parsing takes quadratic time. */
const DATA_FACTOR = 11
const BASE_PAGES = 8
/** What evaluations may use beyond policy and data: 256 MiB. */
const WORKING_PAGES = 4096
/** WebAssembly memory never shrinks: an instance that grew by more than 32 MiB is replaced. */
const KEPT_GROWTH = 32 * 1024 * 1024

export function createWasmEngine(): Engine {
  return { name: WHO, load }
}

async function load(bundle: Bundle): Promise<Policy> {
  try {
    const image = await prepare(bundle)
    const first = instantiate(image)
    const missing = bundle.entrypoints.find((name) => !first.entrypoints.has(name))
    if (missing !== undefined) throw new PolicyAbort(`it has no entry point ${missing}`)
    return new WasmPolicy(bundle, image, first)
  } catch (cause) {
    throw new EngineError(WHO, 'invalid_bundle', reason(cause), { cause })
  }
}

async function prepare(bundle: Bundle): Promise<Image> {
  const module = await WebAssembly.compile(new Uint8Array(bundle.wasm))
  // The package reads whole buffers: these bytes have one of their own.
  const data = Uint8Array.from(new TextEncoder().encode(JSON.stringify(bundle.data)))
  const initial =
    BASE_PAGES + Math.ceil((2 * bundle.wasm.length + DATA_FACTOR * data.length) / PAGE)
  return { module, data, initial, maximum: Math.min(initial + WORKING_PAGES, MAX_PAGES) }
}

class WasmPolicy implements Policy {
  readonly digest: string
  readonly revision: string
  readonly entrypoints: readonly string[]
  readonly #known: ReadonlySet<string>
  readonly #keptBytes: number
  #image: Image | undefined
  #instance: Instance | undefined

  constructor(bundle: Bundle, image: Image, instance: Instance) {
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
      const value = only(this.#instance.evaluate(checked(input.text), entrypoint))
      if (this.#instance.memory.buffer.byteLength > this.#keptBytes) this.#instance = undefined
      return value
    } catch (cause) {
      // Its stack pointer and allocator are where the throw left them.
      this.#instance = undefined
      throw new EngineError(WHO, 'evaluation_failed', reason(cause), { cause })
    }
  }

  async close(): Promise<void> {
    this.#image = undefined
    this.#instance = undefined
  }
}

function only(results: unknown): Json | undefined {
  if (!Array.isArray(results)) throw new PolicyAbort('no result set')
  if (results.length === 0) return undefined
  const [first] = results as readonly unknown[]
  if (
    results.length > 1 ||
    typeof first !== 'object' ||
    first === null ||
    !Object.hasOwn(first, 'result')
  )
    throw new PolicyAbort('not one result')
  return (first as { readonly result: Json }).result
}

function checked(text: string): string {
  if (text.length === 0) throw new PolicyAbort('the input is empty')
  // Encoding would replace the half by U+FFFD: another input than the caller's.
  if (!text.isWellFormed()) throw new PolicyAbort('the input has half a surrogate pair')
  return text
}

/** Texts of aborts name a place in the policy and what it did, never a value. */
function reason(cause: unknown): string {
  if (cause instanceof PolicyAbort) return cause.message
  if (cause instanceof Error) return cause.constructor.name
  return typeof cause === 'string' ? cause : 'the policy failed'
}
