/**
 * One instance of a compiled policy with its data, through `@open-policy-agent/opa-wasm`. The imports are our own: nothing is printed, an
 * abort is an error with its text, and a built-in is the shared library's or the module does not load. So is the one call of an evaluation:
 * the package's makes two copies of the input and a decoder each time. Answers leave as terms, in which sets are sets and no digit is lost.
 *
 * @see https://www.openpolicyagent.org/docs/wasm (ABI 1.2 and up)
 */
import * as sdk from '@open-policy-agent/opa-wasm'
import { BUILTINS, type Builtin, REFUSED } from '../builtins/index.ts'
import { parseTerm, writeTerm } from '../value/term.ts'
import { get, RegoSet, type Value } from '../value/value.ts'
import { BudgetExhausted, PolicyAbort } from './abort.ts'
import { DETOURED, NEXT } from './detours.ts'
import { Evaluation } from './evaluation.ts'
import { Order } from './order.ts'
import type { Ordering } from './reroute.ts'

export { PolicyAbort }

/** What the package exports at run time and its types leave out. */
interface LoadedPolicy {
  readonly entrypoints: Readonly<Record<string, number>>
  /** Where the data lies, and where the memory behind it begins that an evaluation may use. */
  readonly dataAddr: number
  readonly dataHeapPtr: number
  setData(json: ArrayBuffer): void
}
const { LoadedPolicy } = (sdk as unknown as { readonly default: Sdk }).default
interface Sdk {
  readonly LoadedPolicy: new (
    instance: WebAssembly.Instance,
    memory: WebAssembly.Memory,
    minorVersion: number,
  ) => LoadedPolicy
}

interface Exports extends Ordering {
  readonly opa_wasm_abi_version: WebAssembly.Global
  readonly opa_wasm_abi_minor_version: WebAssembly.Global
  opa_eval(
    reserved: 0,
    entrypoint: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    asTerm: 1,
  ): number
  opa_json_dump(value: number): number
  opa_value_parse(text: number, length: number): number
  opa_value_dump(value: number): number
  opa_malloc(length: number): number
  builtins(): number
}

export interface Image {
  readonly module: WebAssembly.Module
  /** JSON, UTF-8. */
  readonly data: Uint8Array<ArrayBuffer>
  /** Pages of 64 KiB. */
  readonly initial: number
  readonly maximum: number
  /** Built-ins that the module may not call, beside those that no policy may. */
  readonly refused: ReadonlySet<string>
  /** Steps that built-ins may take in one evaluation. */
  readonly maxSteps: number
}

export interface Instance {
  readonly entrypoints: ReadonlySet<string>
  readonly memory: WebAssembly.Memory
  /**
   * The value of an entry point, one of {@link entrypoints}, or undefined where it has none. `input` is well-formed JSON.
   * @throws anything; the instance is spent then
   */
  evaluate(input: string, entrypoint: string): Value | undefined
  /**
   * The result set of a query, which may have many bindings: an object of them for each way in which it holds. `input` is a term, or empty;
   * `now` Unix nanoseconds.
   */
  resultSet(input: string, entrypoint: string, now: bigint): Value
}

/** Synchronous, so that an evaluation can replace a spent instance. @throws PolicyAbort, or what WebAssembly throws */
export function instantiate(image: Image): Instance {
  const { module, data, initial, maximum } = image
  // Without a prototype: WebAssembly reads members of descriptors that anybody could have put on Object.prototype.
  const descriptor = Object.assign(Object.create(null), { initial, maximum })
  const memory = new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor)
  const host = new Host(memory, image)
  const instance = new WebAssembly.Instance(module, { env: host.imports() })
  host.bind(instance.exports as unknown as Exports)
  const policy = new LoadedPolicy(instance, memory, host.minorVersion)
  policy.setData(data.buffer)
  const entrypoints = new Map(Object.entries(policy.entrypoints))
  const resultSet = (input: string, entrypoint: string, now?: bigint): Value =>
    host.evaluate(policy, input, entrypoints.get(entrypoint) as number, now)
  return {
    entrypoints: new Set(entrypoints.keys()),
    memory,
    evaluate: (input, entrypoint) => only(resultSet(input, entrypoint)),
    resultSet,
  }
}

/** Of the result set: one object for each way in which the entry point holds, and there is but one. */
function only(results: Value): Value | undefined {
  if (!(results instanceof RegoSet)) throw new PolicyAbort('no result set')
  if (results.size === 0) return undefined
  const [first] = results.sorted()
  const value = get(first, 'result')
  if (results.size > 1 || value === undefined) throw new PolicyAbort('not one result')
  return value
}

const PAGE = 65_536
/** What OPA's allocator says. */
const NO_MEMORY = 'opa_malloc: failed'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

class Host {
  readonly #memory: WebAssembly.Memory
  readonly #builtins = new Map<number, Builtin>(DETOURED)
  readonly #refused: ReadonlySet<string>
  readonly #maxSteps: number
  #exports: Exports | undefined
  #order: Order | undefined
  #inOrder = true
  #evaluation: Evaluation

  constructor(memory: WebAssembly.Memory, { maxSteps, refused }: Image) {
    this.#memory = memory
    this.#refused = refused
    this.#maxSteps = maxSteps
    this.#evaluation = new Evaluation('{}', maxSteps)
  }

  get minorVersion(): number {
    return this.#policy.opa_wasm_abi_minor_version.value as number
  }

  get #policy(): Exports {
    if (this.#exports === undefined) throw new PolicyAbort('called before its start')
    return this.#exports
  }

  imports(): WebAssembly.ModuleImports {
    const call = (id: number, _context: number, ...operands: number[]): number =>
      this.#call(id, operands)
    return {
      memory: this.#memory,
      opa_abort: (address: number) => {
        const text = this.#text(address)
        throw text === NO_MEMORY
          ? new BudgetExhausted('it ran out of memory')
          : new PolicyAbort(text)
      },
      opa_println: () => undefined,
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
    }
  }

  bind(exports: Exports): void {
    this.#exports = exports
    this.#order = new Order(exports)
    const version = exports.opa_wasm_abi_version?.value as number | undefined
    if (version !== 1 || !(this.minorVersion >= 2))
      throw new PolicyAbort('not a policy of OPA WebAssembly ABI 1.2 or later')
    const called = JSON.parse(this.#text(exports.opa_json_dump(exports.builtins()))) as object
    for (const [name, id] of Object.entries(called))
      this.#builtins.set(id as number, this.#builtin(name))
  }

  #builtin(name: string): Builtin {
    if (REFUSED.has(name))
      throw new PolicyAbort(`it calls ${name}, which no policy may: give what it asks for as input`)
    if (this.#refused.has(name))
      throw new PolicyAbort(`it calls ${name}, which its capabilities do not have`)
    const builtin = BUILTINS.get(name)
    if (builtin === undefined) throw new PolicyAbort(`it calls ${name}, which is not available`)
    return builtin
  }

  /** One call, since ABI 1.2: it parses the input, evaluates, and dumps the result set as a term. */
  evaluate(policy: LoadedPolicy, input: string, entrypoint: number, now?: bigint): Value {
    const { dataAddr, dataHeapPtr } = policy
    this.#evaluation = new Evaluation(now ?? input, this.#maxSteps)
    this.#order?.begin(dataHeapPtr)
    // A UTF-16 unit has at most three UTF-8 bytes.
    const missing = dataHeapPtr + input.length * 3 - this.#memory.buffer.byteLength
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE))
    const { written } = encoder.encodeInto(input, new Uint8Array(this.#memory.buffer, dataHeapPtr))
    const heap = dataHeapPtr + written
    const result = this.#policy.opa_eval(0, entrypoint, dataAddr, dataHeapPtr, written, heap, 1)
    return parseTerm(this.#text(result))
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages)
    } catch (cause) {
      throw new BudgetExhausted('the input is larger than its memory', { cause })
    }
  }

  /** Zero is undefined to the module. */
  #call(id: number, addresses: readonly number[]): number {
    if (id === NEXT) return this.#next(addresses[0] as number, addresses[1] as number)
    const builtin = this.#builtins.get(id)
    if (builtin === undefined) throw new PolicyAbort('it calls what it did not announce')
    const value = this.#evaluation.call(
      builtin,
      addresses.map((address) => this.#value(address)),
    )
    return value === undefined ? 0 : this.#put(value)
  }

  #next(container: number, previous: number): number {
    if (this.#inOrder && this.#order) return this.#order.next(container, previous)
    return this.#policy.assay_next(container, previous)
  }

  #put(value: Value): number {
    const bytes = encoder.encode(writeTerm(value))
    const text = this.#policy.opa_malloc(bytes.length)
    new Uint8Array(this.#memory.buffer).set(bytes, text)
    const address = this.#policy.opa_value_parse(text, bytes.length)
    if (address === 0) throw new PolicyAbort('a built-in answered with what is no term')
    return address
  }

  /** In C's order, which says nothing about a value. */
  #value(address: number): Value {
    this.#inOrder = false
    const text = this.#policy.opa_value_dump(address)
    this.#inOrder = true
    return parseTerm(this.#text(text))
  }

  /** The memory may grow in any call, which leaves older views empty. */
  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer)
    return decoder.decode(bytes.subarray(address, bytes.indexOf(0, address)))
  }
}
