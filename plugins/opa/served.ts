/** What a user's OPA policies bring with them, as the plugin needs to know it. */
import type { Json } from '../../core/json.ts'
import type { Path } from './documents.ts'

export interface Served {
  /** Rules or packages that may be queried, with slashes. */
  readonly entrypoints: readonly string[]
  /** The documents that came with the policies, by top-level name. */
  readonly documents: { readonly [name: string]: Json }
  /** Where rules lie: no document may be there. */
  readonly rules: readonly Path[]
  /** Where a bundle says that everything is its own: nothing is written there. */
  readonly owned: readonly Path[]
  /** Top-level names that belong to Assay's own policies. */
  readonly reserved: readonly string[]
}

/** The longest entry point that `path` lies in. */
export function entrypointOf(served: Served, path: Path): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const name = path.slice(0, length).join('/')
    if (served.entrypoints.includes(name)) return name
  }
  return undefined
}

/** Whether one of the two lies within the other. */
export function overlaps(a: Path, b: Path): boolean {
  const length = Math.min(a.length, b.length)
  return a.slice(0, length).every((name, i) => name === b[i])
}
