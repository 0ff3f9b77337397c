/** Whose signatures count: the policy roots of a trust anchor. */
import { toBase64 } from '../../../core/crypto.ts'
import type { TrustAnchor } from '../../../core/log/anchor.ts'
import { parseVkey } from '../../../core/log/note.ts'
import { type ImportedRoots, importRoots } from '../../../formats/bundle/index.ts'

export interface Beside {
  /** vkeys that count no more. */
  readonly revoked?: readonly string[]
  /** The same as key bytes, in base64. */
  readonly revokedKeys?: readonly string[]
  /** Keys of other scopes, in base64. */
  readonly others?: readonly string[]
}

/**
 * Undefined where the anchor names none. A key of the log is no policy root, nor the other way round.
 * @throws BundleRefusal `wrong_scope`, `foreign_root`
 */
export function rootsOf(
  { keys, policyRoots = [], policyThreshold = 1 }: TrustAnchor,
  { others = [], revoked = [], revokedKeys = [] }: Beside = {},
): ImportedRoots | undefined {
  if (policyRoots.length === 0) return undefined
  const gone = new Set(revokedKeys)
  return importRoots({
    keys: policyRoots,
    threshold: policyThreshold,
    revoked: [...revoked, ...policyRoots.filter((vkey) => gone.has(bytesOf(vkey)))],
    others: [...others, ...keys.map(({ vkey }) => bytesOf(vkey))],
  })
}

/** The server's own anchor with roots that its configuration names. */
export function anchorOf(
  own: TrustAnchor,
  { roots, threshold }: { readonly roots: readonly string[]; readonly threshold: number },
): TrustAnchor {
  return { ...own, policyRoots: roots, policyThreshold: threshold }
}

function bytesOf(vkey: string): string {
  return toBase64(parseVkey(vkey).key.publicKey)
}
