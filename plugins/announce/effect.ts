/** What the plugin's effects are made with. */
import type { Effect, EffectContext, EffectKind, EffectPlan } from '../../core/plugin.ts'
import type { Schema } from '../../core/schema.ts'
import { asJson } from './records.ts'

export type Put = NonNullable<EffectPlan['writes']>[number]

/** Ties a plan to the type that the effect's schema has checked. */
export function effect<E extends object>(
  checked: Schema<E>,
  plan: (effect: E, context: EffectContext) => EffectPlan,
): EffectKind {
  return {
    onDeny: false,
    schema: checked as Schema<object>,
    plan: (given: Effect, context) => plan(given as unknown as E, context),
  }
}
export const put = (sort: string, record: object): Put => ({ put: sort, value: asJson(record) })
