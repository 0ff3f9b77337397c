/** In what engines may differ from OPA's evaluator: each kind with its reason, and with an example that is run. */
import type { Json } from '../../../core/json.ts'
import type { Told } from './subjects.ts'

export interface Difference {
  readonly rego: string
  readonly input: Json
  readonly opa: Told
  readonly jit: Told
  readonly wasm: Told
}

interface Kind {
  readonly reason: string
  readonly covers: (difference: Difference) => boolean
  /** Of package `p`; its rule `r` differs. */
  readonly example: Difference
}

const CONFLICT = '!eval_conflict_error'

export const KNOWN: readonly Kind[] = [
  {
    reason:
      "OPA's evaluator reads base documents by path, where a number and its text are one name; its WebAssembly reads values (open-policy-agent/opa#3711). The jit engine does as the evaluator.",
    covers: ({ jit, opa, rego }) => jit === opa && /data\.d\.(?:list\["0"\]|map\[1\])/.test(rego),
    example: {
      rego: 'r := data.d.map[1]',
      input: {},
      opa: '"one"',
      jit: '"one"',
      wasm: 'undefined',
    },
  },
  {
    reason:
      "A plan computes both sides of an equality; OPA's evaluator stops at a side that is undefined, and so never sees a conflict in the other. An evaluation that ends with an error is a denial.",
    covers: ({ jit, opa, wasm }) => jit === CONFLICT && wasm === CONFLICT && !opa.startsWith('!'),
    example: {
      rego: 'r if {1: x | some x in input.l} == input.none',
      input: { l: [1, 2] },
      opa: 'undefined',
      jit: CONFLICT,
      wasm: CONFLICT,
    },
  },
  {
    reason:
      "OPA's WebAssembly puts the value of `with input.a` into an input that is no object as if it were one, and so spoils its memory. Facts are an object, always.",
    covers: ({ input, jit, opa, rego }) =>
      jit === opa && !isObject(input) && /with input\.\w/.test(rego),
    example: {
      rego: 'r := x if x := input.a with input.a as 1',
      input: 'text',
      opa: '1',
      jit: '1',
      wasm: 'undefined',
    },
  },
  {
    reason:
      "OPA's evaluator calls a built-in with a variable that it has not bound yet, in a comprehension of a rule's head, and gives up; plans do not.",
    covers: ({ jit, opa, wasm }) => opa === '!eval_internal_error' && jit === wasm,
    example: {
      rego: 'r := {input.s[1]: input.a[v] | v in data.d.list} if v := sort(input.l)',
      input: { a: 0.5, l: [true, 2], s: 'abc' },
      opa: '!eval_internal_error',
      jit: '{}',
      wasm: '{}',
    },
  },
]

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isKnown(difference: Difference): boolean {
  return KNOWN.some(({ covers }) => covers(difference))
}
