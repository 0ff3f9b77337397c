/** The records of the plugin `lease` beside what the log says they have to be. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Life } from './life.ts'
import type { Members } from './opened.ts'
import { recordOf } from './stored.ts'

/** What a member is by the log, and in the record; undefined where it is not. */
export interface Difference {
  readonly record: string
  readonly member: string
  readonly log?: Json
  readonly stored?: Json
}

/** @throws StoreError */
export async function differences(
  store: Store,
  lease: string,
  life: Life,
): Promise<readonly Difference[]> {
  const { lease: held, resource } = life
  if (held === undefined) return []
  const record = (await recordOf(store, 'lease', `lease/${lease}`)) ?? {}
  const found = between(`lease/${lease}`, held, record)
  if (resource === undefined) return found
  const name = `resource/${held.resource}`
  const stored = (await recordOf(store, 'lease', name)) ?? {}
  // Free, it may have been leased again since, and then has a later life.
  if (resource.state === 'free' && Number(stored.epoch) > resource.epoch) return found
  return [...found, ...between(name, { ...resource, resource: held.resource }, stored)]
}

function between(record: string, log: object, stored: Members): readonly Difference[] {
  return Object.entries(log as Members).flatMap(([member, value]) => {
    const there = stored[member]
    if (there !== undefined && canonicalJson(there) === canonicalJson(value)) return []
    return [{ record, member, log: value, ...(there === undefined ? {} : { stored: there }) }]
  })
}
