/** What Rego may ask for: openings go, a legal hold comes or goes. None may run on a deny. */
import type { Json } from '../../core/json.ts'
import type { DecisionFilter } from '../../core/log/query.ts'
import type { Effect, EffectKind, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { holdKey } from './keys.ts'
import { members } from './schema.ts'

const { literal, object } = schema
const { filter, ids, name } = members

/** Ties a plan to the type that the effect's schema has checked. */
function kind<E extends object>(checked: Schema<E>, plan: (effect: E) => EffectPlan): EffectKind {
  return {
    onDeny: false,
    schema: checked as Schema<object>,
    plan: (effect: Effect) => plan(effect as unknown as E),
  }
}

export const auditEffects: EffectTable = {
  'audit.erase': kind(object({ ids, kind: literal('audit.erase') }), (effect) => ({
    erase: effect.ids,
  })),
  'audit.hold': kind(object({ filter, kind: literal('audit.hold'), name }), (effect) => ({
    writes: [{ put: holdKey(effect.name), value: holdRecord(effect.name, effect.filter) }],
  })),
  'audit.release': kind(object({ kind: literal('audit.release'), name }), (effect) => ({
    writes: [{ remove: holdKey(effect.name) }],
  })),
}

function holdRecord(held: string, fits: DecisionFilter): Json {
  return { filter: fits as unknown as Json, name: held }
}
