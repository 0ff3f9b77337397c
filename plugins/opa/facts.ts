/** The plugin `opa`: a user's own OPA policies, asked and fed as OPA is. See README.md. */
import type { Plugin } from '../../core/plugin.ts'
import { changeFacts, DELETE, PATCH, PUT } from './change.ts'
import { opaEffects } from './effects.ts'
import { PREFIX } from './pushed.ts'
import { NO_CHANGE, NO_QUERY, queryFacts } from './query.ts'
import { type OpaFacts, opaSchema } from './schema.ts'
import type { Served } from './served.ts'

const QUERY = 'opa.query'
/** To see the sources of the policies. */
const READ_POLICIES = 'opa.read-policies'

/** `served` says what is served now; it changes when the policies do. */
export function createOpa(served: () => Served): Plugin<OpaFacts> {
  return {
    name: 'opa',
    actions: [DELETE, PATCH, PUT, QUERY, READ_POLICIES],
    schema: opaSchema,
    lists: [PREFIX],
    effects: opaEffects,
    async facts(request, read, _now, signal) {
      signal.throwIfAborted()
      if (request.action === QUERY) return queryFacts(request, read, served())
      if (request.action === READ_POLICIES)
        return { change: NO_CHANGE, claimed: {}, query: NO_QUERY }
      return changeFacts(request, read, served())
    },
  }
}
