/** Records of plugins, as they lie in the store. */
import { type Json, parseJson } from '../../core/json.ts'
import type { Store } from '../../core/ports/store.ts'
import { asMembers, type Members } from './opened.ts'

/** @throws StoreError; JsonError where the record is none of a plugin's */
export async function recordOf(
  store: Store,
  plugin: string,
  sort: string,
): Promise<Members | undefined> {
  const row = await store.get({ partition: plugin, sort })
  return row && asMembers(parseJson(row.value))
}

/** The objects of an array; none of what is no array. */
export function objectsIn(value: Json | undefined): readonly Members[] {
  return Array.isArray(value) ? value.map((item: Json) => asMembers(item)) : []
}
