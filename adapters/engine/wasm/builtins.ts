/** The built-ins that OPA's WebAssembly runtime asks its host for, as far as this engine has them. Deterministic, all of them. */
import type { Json } from '../../../core/json.ts'
import { sprintf } from './sprintf.ts'

/** One argument, read when it is asked for: as JSON, where sets are arrays, or in Rego notation, where nothing is lost. */
export interface Operand {
  json(): Json
  term(): string
}
/** Undefined is Rego's undefined. What it throws ends the evaluation. */
export type HostBuiltin = (...operands: readonly Operand[]) => Json | undefined

const OWN = [
  [
    'time.now_ns',
    // Wherever a policy may be asked, the decision's own time is in its place.
    (): never => {
      throw new NoClock('there is no clock here')
    },
  ],
  [
    'sprintf',
    (format: Operand, values: Operand) => {
      const text = format.json()
      const terms = values.term()
      if (typeof text !== 'string' || !terms.startsWith('[')) return undefined
      return sprintf(text, terms)
    },
  ],
] as const satisfies readonly (readonly [string, HostBuiltin])[]

class NoClock extends Error {}

export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map<string, HostBuiltin>(OWN)
