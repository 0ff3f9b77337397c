/** What the plugin's effects are made with. */
import type { EffectPlan } from '../../core/plugin.ts'
import { asJson } from './records.ts'

export type Put = NonNullable<EffectPlan['writes']>[number]

export const put = (sort: string, record: object): Put => ({ put: sort, value: asJson(record) })
