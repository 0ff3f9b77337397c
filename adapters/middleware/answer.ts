/** Reads what a decision point answered. Whatever is not understood whole is no decision, an allow with unreadable obligations above all. */
import { NoDecision } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Answered, Obligation } from './decider.ts'

type Members = { readonly [name: string]: Json }

/** @throws NoDecision `unavailable` */
export function readMembers(value: Json): Members {
  if (isMembers(value)) return value
  throw unreadable('is not an object where one is due')
}

/** One evaluation's answer. @throws NoDecision `unavailable` */
export function readAnswered(value: Json, decisionId: string | undefined): Answered {
  const { context = {}, decision } = readMembers(value)
  if (typeof decision !== 'boolean') throw unreadable('has no decision')
  const { decision_id, obligations = [], reasons } = readMembers(context)
  const id = decisionId ?? (typeof decision_id === 'string' ? decision_id : undefined)
  return {
    allow: decision,
    ...(id === undefined ? {} : { id }),
    reasons: readReasons(reasons),
    obligations: readObligations(obligations),
  }
}

/** For people and logs, so what is not understood is left out. */
function readReasons(value: Json | undefined): Answered['reasons'] {
  if (!Array.isArray(value)) return []
  return value.flatMap((reason: Json) => {
    const code = isMembers(reason) ? reason.code : undefined
    return typeof code === 'string' && CODE.test(code) ? [{ code }] : []
  })
}
/** What a header can carry. */
const CODE = /^[\w/.-]{1,128}$/

function readObligations(value: Json): readonly Obligation[] {
  if (!Array.isArray(value)) throw unreadable('has obligations that are no list')
  return value.map((item: Json) => {
    const { id, properties, type } = readMembers(item)
    if (typeof id !== 'string' || typeof type !== 'string')
      throw unreadable('has an obligation without id and type')
    return properties === undefined
      ? { id, type }
      : { id, type, properties: readMembers(properties) }
  })
}

function isMembers(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unreadable(what: string): NoDecision {
  return new NoDecision('unavailable', `the decision point's answer ${what}`)
}
