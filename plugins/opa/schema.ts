/** What the plugin reports, and how far it can be trusted: all that a caller sends is a claim. */
import type { Json } from '../../core/json.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import type { Path } from './documents.ts'
import type { DocumentRecord } from './pushed.ts'

const { array, boolean, json, literal, object, record, string } = schema

/** The names of a document's path. */
export const MAX_PATH = 32
/** UTF-16 units: as UTF-8 it still fits into a key of the store. */
export const MAX_NAME = 160
/** Of what is sent and of what lies in documents. */
export const MAX_DEPTH = 32

export interface Query {
  readonly check: 'malformed' | 'valid'
  /** The document at the path, where no entry point is. */
  readonly document?: Json
  /** With slashes; empty where the path names none. */
  readonly entrypoint: string
  readonly path: Path
  /** What follows the entry point in the path. */
  readonly rest: Path
}
/** Whether a change can be made, or why not. */
export type Outcome =
  | 'applicable'
  | 'document_exists'
  | 'document_not_found'
  | 'invalid_change'
  | 'malformed_change'
  | 'not_an_object'
  | 'owned_by_bundle'
  | 'reserved_path'
  | 'rule_conflict'
/** What top-level documents become. */
export type Documents = { readonly [name: string]: DocumentRecord }

export interface OpaFacts {
  readonly change: { readonly outcome: Outcome; readonly paths: readonly Path[] }
  readonly claimed: { readonly documents?: Documents; readonly input?: Json }
  readonly query: Query
}

const path: Schema<Path> = array(string({ maxLength: MAX_NAME }), { maxItems: MAX_PATH })
const document: Schema<Json> = json({ maxDepth: MAX_DEPTH })
export const documents: Schema<Documents> = record(
  object({ found: boolean() }, { value: document }),
)
const outcome: Schema<Outcome> = literal(
  'applicable',
  'document_exists',
  'document_not_found',
  'invalid_change',
  'malformed_change',
  'not_an_object',
  'owned_by_bundle',
  'reserved_path',
  'rule_conflict',
)
const entrypoint = string({ maxLength: (MAX_NAME + 1) * MAX_PATH })

export const opaSchema: FactsSchema<OpaFacts> = {
  change: { trust: 'verified', schema: object({ outcome, paths: array(path) }) },
  claimed: { trust: 'claimed', schema: object({}, { documents, input: document }) },
  query: {
    trust: 'verified',
    schema: object(
      { check: literal('malformed', 'valid'), entrypoint, path, rest: path },
      { document },
    ),
  },
}
