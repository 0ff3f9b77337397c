/** The writes that Rego may propose: pushed documents, one record for each top-level name. */
import type { Effect, EffectTable } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type DocumentRecord, documentKey } from './pushed.ts'
import { documents } from './schema.ts'

/** The external action that makes the pushed documents the policies' data. */
export const ACTIVATE = 'opa.activate-data'

const written = schema.object({ kind: schema.literal('opa.write-documents'), documents })

export const opaEffects: EffectTable = {
  'opa.write-documents': {
    onDeny: false,
    schema: written as Schema<object>,
    plan: (effect: Effect) => {
      const all = effect.documents as unknown as Readonly<Record<string, DocumentRecord>>
      return {
        writes: Object.entries(all).map(([name, { found, value }]) => ({
          put: documentKey(name),
          value: found && value !== undefined ? { found, value } : { found: false },
        })),
        outbox: [{ kind: ACTIVATE, body: {} }],
      }
    },
  },
}
