/** The names of a policy's data: of a whole document its digest, of a changed one the digest of what it was and what changed. */
import { canonicalJson } from './canonical.ts'
import { sha256Text, toHex } from './crypto.ts'
import type { Json } from './json.ts'
import type { DataOperation } from './ports/engine.ts'

/** `sha256:` and hex. */
export function revisionOf(data: Json): string {
  return `sha256:${toHex(sha256Text(canonicalJson(data)))}`
}

/**
 * The revision after `operations`, whatever the size of the data: SHA-256 over a domain, the revision before, and the operations as
 * canonical JSON. Two ways to one document have two names, as their decisions have two histories.
 *
 * @throws JsonError operations that are not JSON
 */
export function revisionAfter(previous: string, operations: readonly DataOperation[]): string {
  const text = canonicalJson(operations as unknown as Json)
  return `sha256:${toHex(sha256Text(`assay/data-revision/v1\0${previous}\0${text}`))}`
}
