/**
 * One instance of a compiled policy with its data, through `@open-policy-agent/opa-wasm`. The imports are our own: nothing is printed, an
 * abort is an error with its text, and a built-in is ours or the module does not load. So is the one call of an evaluation: the package's
 * makes two copies of the input and a decoder each time.
 *
 * @see https://www.openpolicyagent.org/docs/wasm (ABI 1.2 and up)
 */
import * as sdk from '@open-policy-agent/opa-wasm'
import type { Json } from '../../../core/json.ts'
import { type Context, type HostBuiltin, JsonText, type Operand } from './builtins/operand.ts'
import { HOST_BUILTINS } from './builtins.ts'

/** Why a module cannot be served, or what ended an evaluation. */
export class PolicyAbort extends Error {}

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

interface Exports {
  readonly opa_wasm_abi_version: WebAssembly.Global
  readonly opa_wasm_abi_minor_version: WebAssembly.Global
  opa_eval(
    reserved: 0,
    entrypoint: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    format: 0,
  ): number
  opa_json_dump(value: number): number
  opa_json_parse(text: number, length: number): number
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
}

export interface Instance {
  readonly entrypoints: ReadonlySet<string>
  readonly memory: WebAssembly.Memory
  /**
   * The result set: one object for each way in which the entry point holds. `input` is well-formed JSON, `entrypoint` one of
   * {@link entrypoints}. @throws anything; the instance is spent then
   */
  evaluate(input: string, entrypoint: string): unknown
}

/** Synchronous, so that an evaluation can replace a spent instance. @throws PolicyAbort, or what WebAssembly throws */
export function instantiate({ module, data, initial, maximum }: Image): Instance {
  // Without a prototype: WebAssembly reads members of descriptors that anybody could have put on Object.prototype.
  const descriptor = Object.assign(Object.create(null), { initial, maximum })
  const memory = new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor)
  const host = new Host(memory)
  const instance = new WebAssembly.Instance(module, { env: host.imports() })
  host.bind(instance.exports as unknown as Exports)
  const policy = new LoadedPolicy(instance, memory, host.minorVersion)
  policy.setData(data.buffer)
  const entrypoints = new Map(Object.entries(policy.entrypoints))
  return {
    entrypoints: new Set(entrypoints.keys()),
    memory,
    evaluate: (input, entrypoint) =>
      host.evaluate(policy, input, entrypoints.get(entrypoint) as number),
  }
}

const PAGE = 65_536
const encoder = new TextEncoder()
const decoder = new TextDecoder()

class Host {
  readonly #memory: WebAssembly.Memory
  readonly #byId = new Map<number, HostBuiltin>()
  #exports: Exports | undefined
  #input = ''
  readonly #context: Context

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    const now = (): unknown => (JSON.parse(this.#input) as { readonly now?: unknown } | null)?.now
    this.#context = {
      get now() {
        const seconds = now()
        return typeof seconds === 'number' ? seconds : undefined
      },
    }
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
        throw new PolicyAbort(this.#text(address))
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
    const version = exports.opa_wasm_abi_version?.value as number | undefined
    if (version !== 1 || !(this.minorVersion >= 2))
      throw new PolicyAbort('not a policy of OPA WebAssembly ABI 1.2 or later')
    for (const [name, id] of Object.entries(this.#json(exports.builtins()) as object)) {
      const builtin = HOST_BUILTINS.get(name)
      if (builtin === undefined) throw new PolicyAbort(`it calls ${name}, which is not available`)
      this.#byId.set(id as number, builtin)
    }
  }

  /** One call, since ABI 1.2: it parses the input, evaluates, and dumps the result set as JSON. */
  evaluate({ dataAddr, dataHeapPtr }: LoadedPolicy, input: string, entrypoint: number): Json {
    this.#input = input
    // A UTF-16 unit has at most three UTF-8 bytes.
    const missing = dataHeapPtr + input.length * 3 - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE))
    const { written } = encoder.encodeInto(input, new Uint8Array(this.#memory.buffer, dataHeapPtr))
    const heap = dataHeapPtr + written
    const result = this.#policy.opa_eval(0, entrypoint, dataAddr, dataHeapPtr, written, heap, 0)
    return JSON.parse(this.#text(result)) as Json
  }

  #call(id: number, addresses: readonly number[]): number {
    const operands = addresses.map(
      (address): Operand => ({
        json: () => this.#json(address),
        term: () => this.#text(this.#policy.opa_value_dump(address)),
      }),
    )
    const value = this.#byId.get(id)?.(operands, this.#context)
    return value === undefined ? 0 : this.#put(value)
  }

  #put(value: Json | JsonText): number {
    const text = value instanceof JsonText ? value.text : JSON.stringify(value)
    const bytes = encoder.encode(text)
    const address = this.#policy.opa_malloc(bytes.length)
    new Uint8Array(this.#memory.buffer).set(bytes, address)
    return this.#policy.opa_json_parse(address, bytes.length)
  }

  #json(address: number): Json {
    return JSON.parse(this.#text(this.#policy.opa_json_dump(address))) as Json
  }

  /** The memory may grow in any call, which leaves older views empty. */
  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer)
    return decoder.decode(bytes.subarray(address, bytes.indexOf(0, address)))
  }
}
