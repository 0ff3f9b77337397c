/** A plugin's own decisions, read back from their openings: for a request that refers to an earlier one. */
import { decisionKey, decodeStored } from '../decision.ts'
import type { Json } from '../json.ts'
import type { PastDecision, Plugin } from '../plugin.ts'
import type { Store } from '../ports/store.ts'
import type { Request } from '../request.ts'

const ID = /^[0-9a-f]{32}$/

/** Undefined for none, for another plugin's, and for one that was erased. */
export async function pastDecision(
  store: Store,
  plugin: Plugin,
  id: string,
): Promise<PastDecision | undefined> {
  const row = ID.test(id) ? await store.get(decisionKey(id)) : undefined
  const openings = row && decodeStored(row.value).openings
  const opened = (field: string): Json | undefined =>
    openings?.[field] && (JSON.parse(openings[field].json) as Json)
  const request = opened('request') as unknown as Omit<Request, 'payload'> | undefined
  const payload = opened('payload')
  if (!request || typeof payload !== 'string') return undefined
  if (!plugin.actions.includes(request.action)) return undefined
  const verdict = opened('verdict')
  const { action, peer } = request
  return { action, peer, payload, ...(verdict === undefined ? {} : { verdict }) }
}
