/** What plugins make their effect tables with. */
import type { Effect, EffectContext, EffectKind, EffectPlan } from './plugin.ts'
import type { Schema } from './schema.ts'

/** Ties a plan to the type that the effect's schema has checked. Unless `onDeny` says otherwise, such an effect may not run on a deny. */
export function effectKind<E extends object>(
  checked: Schema<E>,
  plan: (effect: E, context: EffectContext) => EffectPlan,
  onDeny = false,
): EffectKind {
  return {
    onDeny,
    schema: checked as Schema<object>,
    plan: (effect: Effect, context) => plan(effect as unknown as E, context),
  }
}
