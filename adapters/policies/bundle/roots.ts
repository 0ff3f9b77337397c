/** Whose signatures count: the policy roots of a trust anchor, or of a configuration. */
import { toBase64 } from '../../../core/crypto.ts'
import type { TrustAnchor } from '../../../core/log/anchor.ts'
import { parseVkey } from '../../../core/log/note.ts'
import { type ImportedRoots, importRoots } from '../../../formats/bundle/index.ts'

/**
 * Undefined where the anchor names none. A key of the log is no policy root, nor the other way round.
 * @throws BundleRefusal `wrong_scope`, `foreign_root`; LogError `malformed`
 */
export function anchorRoots(
  { keys, policyRoots = [], policyThreshold = 1 }: TrustAnchor,
  revoked: readonly string[] = [],
): ImportedRoots | undefined {
  if (policyRoots.length === 0) return undefined
  const others = keys.map(({ vkey }) => toBase64(parseVkey(vkey).key.publicKey))
  return importRoots({ keys: policyRoots, threshold: policyThreshold, revoked, others })
}
