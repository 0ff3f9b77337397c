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
  /** Of package `p`; its rule `r` differs for the input `{"l": [1, 2]}`. */
  readonly example: { readonly rego: string } & Omit<Difference, 'input' | 'rego'>
}

const CONFLICT = '!eval_conflict_error'

export const KNOWN: readonly Kind[] = [
  {
    reason:
      "OPA's evaluator reads base documents by path, where a number and its text are one name; its WebAssembly reads values (open-policy-agent/opa#3711). The jit engine does as the evaluator.",
    covers: ({ jit, opa, rego }) => jit === opa && /data\.d\.(?:list\["0"\]|map\[1\])/.test(rego),
    example: {
      rego: 'r := data.d.map[1]',
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
      opa: 'undefined',
      jit: CONFLICT,
      wasm: CONFLICT,
    },
  },
]

export function isKnown(difference: Difference): boolean {
  return KNOWN.some(({ covers }) => covers(difference))
}
