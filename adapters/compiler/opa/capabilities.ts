/** The capability sets that ship with the package, in OPA's own format, so that `opa build --capabilities` takes them too. */

import type { Json } from '../../../core/json.ts'
import type { CapabilitySet } from '../../../core/ports/compiler.ts'
import compat from '../../../policies/capabilities/compat.json' with { type: 'json' }
import trust from '../../../policies/capabilities/trust.json' with { type: 'json' }

const SETS: Readonly<Record<CapabilitySet, Json>> = { compat, trust }

export function capabilitySet(name: CapabilitySet): Json {
  return SETS[name]
}
