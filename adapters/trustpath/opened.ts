/** A decision with what it was made of, as the openings beside the log have it, held against the leaf. */
import { decisionKey, decodeStored } from '../../core/decision.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { commitment } from '../../core/log/leaf.ts'
import type { Openings } from '../../core/log/receipt.ts'
import type { Store } from '../../core/ports/store.ts'
import { openCall } from '../../formats/call/index.ts'
import type { Logged } from './scan.ts'

/** `erased`: only the leaf is left. `altered`: what lies there is not what the leaf committed to, and is not to be believed. */
export type OpenedState = 'altered' | 'erased' | 'open'

export interface Opened extends Logged {
  readonly state: OpenedState
  readonly openings: Openings
}
export type Members = { readonly [member: string]: Json }

/** @throws StoreError */
export async function opened(store: Store, logged: Logged): Promise<Opened> {
  const row = await store.get(decisionKey(logged.leaf.id))
  const openings = row && decodeStored(row.value).openings
  if (openings === undefined) return { ...logged, state: 'erased', openings: {} }
  return { ...logged, state: isCommitted(logged, openings) ? 'open' : 'altered', openings }
}

/** One that was never erased has an opening for every commitment. */
function isCommitted({ leaf }: Logged, openings: Openings): boolean {
  const fields = Object.entries(leaf.commitments)
  return (
    fields.length === Object.keys(openings).length &&
    fields.every(([field, digest]) => {
      const opening = openings[field]
      return opening !== undefined && commitment(field, opening.salt, opening.json) === digest
    })
  )
}

/** Whether one of the openings has this text in it. */
export function mentions({ openings }: Opened, text: string): boolean {
  return Object.values(openings).some(({ json }) => json.includes(text))
}

/** What a field says; undefined where there is none. */
export function fieldOf({ openings }: Opened, field: string): Json | undefined {
  const opening = openings[field]
  return opening && parseJson(opening.json, LIMITS)
}
/** The kernel's own limits for facts and payloads are narrower. */
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64 }

/** The members of a field that is an object; none for what is no object. */
export function membersOf(one: Opened, field: string): Members {
  return asMembers(fieldOf(one, field))
}

/** What was asked for: the payload's members, of a signed call those of its body. None where it cannot be read. */
export function bodyOf(one: Opened): Members {
  const text = fieldOf(one, 'payload')
  if (typeof text !== 'string') return {}
  try {
    const payload = openCall(parseJson(text))
    return 'body' in payload ? asMembers(payload.body) : {}
  } catch {
    return {}
  }
}

export function asMembers(value: Json | undefined): Members {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value)
  return plain ? (value as Members) : {}
}
