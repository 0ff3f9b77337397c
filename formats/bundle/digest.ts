/** What a bundle is called: its content by every byte of every file, its policy by what is compiled. */
import { canonicalJson } from '../../core/canonical.ts'
import { sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { byPath } from './order.ts'
import { SIGNATURES } from './signatures.ts'

export type Files = ReadonlyMap<string, Uint8Array>

/**
 * `sha256:<hex>` over a list of the files with their digests and sizes. How they are packed does not show in it, nor do the signatures,
 * so that one can be added and an archive can be packed anew.
 */
export function contentDigest(files: Files): string {
  const lines = [...files]
    .filter(([path]) => path !== SIGNATURES)
    .sort(byPath)
    .map(([path, bytes]) => `${sha256Hex(bytes)} ${bytes.length} ${path}\n`)
  return `sha256:${sha256Hex(`assay.bundle-content/v1\n${lines.join('')}`)}`
}

export interface Compiled {
  /** The name of the capability set and the digest of its canonical JSON, in hex. */
  readonly capabilities: { readonly name: string; readonly sha256: string }
  /** Name and version. */
  readonly compiler: string
  readonly entrypoints: readonly string[]
  /** Without tests. */
  readonly sources: Readonly<Record<string, string>>
}

/** What `Bundle.digest` is: the same sources, compiled by the same compiler for the same entry points, have it on any machine. */
export function policyDigest({ capabilities, compiler, entrypoints, sources }: Compiled): string {
  const hashed = Object.entries(sources).map(([path, text]) => [path, sha256Hex(text)] as const)
  const listing = { capabilities, compiler, entrypoints, sources: Object.fromEntries(hashed) }
  return `sha256:${sha256Hex(canonicalJson(listing as unknown as Json))}`
}

/** What `Bundle.revision` is. */
export function dataRevision(data: Json): string {
  return `sha256:${sha256Hex(canonicalJson(data))}`
}
