/**
 * OPA's WebAssembly runtime is in C, and answers otherwise than OPA's evaluator in two ways. Some built-ins differ; and sets and objects are
 * gone through in the order of a hash table, where OPA has the order of Rego. A module is changed when it is loaded, so that for both it
 * calls its host: the bundle keeps the bytes that OPA's compiler wrote.
 */
import { Module, signed, unsigned } from './module.ts'

/** A function of the runtime and what takes its place: the host's function of this number. */
export interface Detour {
  readonly cName: string
  readonly operands: number
  readonly id: number
}

/** What the module exports then: how its host goes through a container in C's order, and which of two values is the smaller one. */
export interface Ordering {
  /** The key after `previous`, or the first one after zero; zero at the end. */
  assay_next(container: number, previous: number): number
  assay_compare(a: number, b: number): number
}

const OP = {
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  load8u: 0x2d,
  i32Const: 0x41,
  lessUnsigned: 0x49,
  subtract: 0x6b,
} as const
const I32 = 0x7f
const NO_LOCALS = 0

/** The runtime's own numbers of types: an object is the first of two, a set the second. */
const OBJECT = 6

/**
 * The module with `detours` for those of the functions that it has. What comes next in a set or an object is the host's function `next`.
 *
 * @throws RangeError where it is no module of OPA
 */
export function reroute(
  wasm: Uint8Array,
  detours: readonly Detour[],
  next: number,
): Uint8Array<ArrayBuffer> {
  const module = new Module(wasm)
  for (const { cName, id, operands } of detours) {
    const index = module.names.get(cName)
    if (index === undefined) continue
    module.replace(index, [NO_LOCALS, ...hostCall(module, id, operands), OP.end])
  }
  const iterate = module.names.get('opa_value_iter')
  const compare = module.names.get('opa_value_compare')
  if (iterate === undefined || compare === undefined)
    throw new RangeError('not a policy that OPA compiled')
  const original = module.copy(iterate)
  module.export('assay_next', original)
  module.export('assay_compare', compare)
  module.replace(iterate, ordered(hostCall(module, next, 2), original))
  return module.bytes()
}

/** Number and context first, then what the function itself was given. */
function hostCall({ imports }: Module, id: number, operands: number): readonly number[] {
  const dispatcher = imports.indexOf(`opa_builtin${operands}`)
  if (dispatcher < 0) throw new RangeError('not a policy that OPA compiled')
  const given = Array.from({ length: operands }, (_, i) => [OP.localGet, i]).flat()
  return [OP.i32Const, ...signed(id), OP.i32Const, 0, ...given, OP.call, ...unsigned(dispatcher)]
}

/** The host's order for objects and sets, C's own for arrays, which have no other. */
function ordered(host: readonly number[], original: number): readonly number[] {
  const type = [OP.localGet, 0, OP.load8u, 0, 0]
  const isUnordered = [OP.i32Const, OBJECT, OP.subtract, OP.i32Const, 2, OP.lessUnsigned]
  const inC = [OP.localGet, 0, OP.localGet, 1, OP.call, ...unsigned(original)]
  return [NO_LOCALS, ...type, ...isUnordered, OP.if, I32, ...host, OP.else, ...inC, OP.end, OP.end]
}
