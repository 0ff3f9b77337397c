/**
 * Documents that callers pushed lie in the store, one record for each top-level name: what is there takes the place of what came with the
 * policies, and a record without a value says that the document was removed.
 */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Served } from './served.ts'

export const PREFIX = 'document/'

export function documentKey(name: string): string {
  return PREFIX + name
}

export interface DocumentRecord {
  readonly found: boolean
  readonly value?: Json
}

/** One guarded read. */
export async function documentOf(
  name: string,
  read: ReadPorts,
  { documents }: Served,
): Promise<Json | undefined> {
  const record = (await read.get(documentKey(name))) as DocumentRecord | undefined
  if (record !== undefined) return record.value
  return Object.hasOwn(documents, name) ? documents[name] : undefined
}

export async function allDocuments(
  read: ReadPorts,
  { documents }: Served,
): Promise<{ readonly [name: string]: Json }> {
  const all = new Map<string, Json>(Object.entries(documents))
  for (const { sort, value } of await read.listGuarded(PREFIX)) {
    const record = value as unknown as DocumentRecord
    if (record.value === undefined) all.delete(sort.slice(PREFIX.length))
    else all.set(sort.slice(PREFIX.length), record.value)
  }
  return Object.fromEntries(all)
}
