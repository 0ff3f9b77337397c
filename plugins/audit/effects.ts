/** What Rego may ask for: openings go, a legal hold comes or goes. None may run on a deny. */

import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { DecisionFilter } from '../../core/log/query.ts'
import type { EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { holdKey } from './keys.ts'
import { members } from './schema.ts'

const { literal, object } = schema
const { filter, ids, name } = members

export const auditEffects: EffectTable = {
  'audit.erase': effectKind(object({ ids, kind: literal('audit.erase') }), (effect) => ({
    erase: effect.ids,
  })),
  'audit.hold': effectKind(object({ filter, kind: literal('audit.hold'), name }), (effect) => ({
    writes: [{ put: holdKey(effect.name), value: holdRecord(effect.name, effect.filter) }],
  })),
  'audit.release': effectKind(object({ kind: literal('audit.release'), name }), (effect) => ({
    writes: [{ remove: holdKey(effect.name) }],
  })),
}

function holdRecord(held: string, fits: DecisionFilter): Json {
  return { filter: fits as unknown as Json, name: held }
}
