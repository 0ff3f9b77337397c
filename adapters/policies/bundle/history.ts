/** What served before: a revision never goes back, and has one content. */
import { PARTITION } from '../../../core/decision.ts'
import type { Release } from '../../../core/ports/compiler.ts'
import type { Store } from '../../../core/ports/store.ts'
import { BundleRefusal } from '../../../formats/bundle/index.ts'

/** The highest one that was ever active over this store; the kernel keeps it with the activation. */
export async function lastRelease(store: Pick<Store, 'get'>): Promise<Release | undefined> {
  const row = await store.get({ partition: PARTITION.policy, sort: 'release' })
  return row && (JSON.parse(new TextDecoder().decode(row.value)) as Release)
}

/** The revision of the data that was active last, as the kernel keeps it. */
export async function servedRevision(store: Pick<Store, 'get'>): Promise<string | undefined> {
  const row = await store.get({ partition: PARTITION.policy, sort: 'active' })
  return row && (JSON.parse(new TextDecoder().decode(row.value)) as { revision: string }).revision
}

/** @throws BundleRefusal `older_revision`, `equivocation` */
export function checkHistory(offered: Release, last: Release | undefined): void {
  if (last === undefined || offered.counter > last.counter) return
  const named = `revision ${offered.counter}`
  if (offered.counter < last.counter)
    throw new BundleRefusal(
      'older_revision',
      `${named} is below ${last.counter}, which has served; sign what should serve again with a higher one`,
    )
  if (offered.content !== last.content)
    throw new BundleRefusal(
      'equivocation',
      `${named} has served with another content; one revision, one content`,
    )
}
