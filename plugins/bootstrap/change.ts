/** What a new trust document changes. */
import { type Anchor, anchoredBy } from '../../formats/trust/index.ts'
import type { Change } from './schema.ts'

/** @param elsewhere what anchors the other kinds, as `anchoredBy` has it */
export function changeOf(
  before: readonly Anchor[] | undefined,
  after: readonly Anchor[],
  elsewhere: ReadonlySet<string>,
): Change {
  const old = new Map((before ?? []).map((anchor) => [anchor.id, anchor]))
  const kept = new Set(after.map(({ id }) => id))
  const ids = (which: (anchor: Anchor) => boolean): readonly string[] =>
    after.filter(which).map(({ id }) => id)
  const gone = [...old.values()].filter(({ id }) => !kept.has(id))
  const added = (anchor: Anchor): boolean => before !== undefined && !old.has(anchor.id)
  return {
    added: ids(added),
    altered: ids(({ id, value }) => old.has(id) && old.get(id)?.value !== value),
    current: ids(({ state }) => state === 'current'),
    dropped: gone.map(({ id }) => id),
    dropped_current: gone.filter(({ state }) => state === 'current').map(({ id }) => id),
    early: ids((anchor) => added(anchor) && anchor.state !== 'next'),
    // Also past `current`: from there it would be made current as one that every node has.
    promoted: ids(({ id, state }) => state !== 'next' && old.get(id)?.state === 'next'),
    shared: ids(({ value }) => anchoredBy(value).some((one) => elsewhere.has(one))),
  }
}
