import type { Family } from '../builtin.ts'
import { AGGREGATES } from './aggregates.ts'
import { ARRAYS } from './arrays.ts'
import { COMPARISON } from './comparison.ts'
import { GRAPH } from './graph.ts'
import { JSON_PATCH } from './json-patch.ts'
import { JSON_PATHS } from './json-paths.ts'
import { OBJECTS } from './objects.ts'
import { SETS } from './sets.ts'
import { TYPES } from './types.ts'
import { WALK } from './walk.ts'

/** Values of all types, and what they hold. */
export const COLLECTIONS: Family = {
  ...AGGREGATES,
  ...ARRAYS,
  ...COMPARISON,
  ...GRAPH,
  ...JSON_PATCH,
  ...JSON_PATHS,
  ...OBJECTS,
  ...SETS,
  ...TYPES,
  ...WALK,
}
