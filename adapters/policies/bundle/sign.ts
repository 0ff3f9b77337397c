/** Adds signatures to a bundle, each beside those that are there. */

import { formatVkey, signatureLine } from '../../../core/log/note.ts'
import type { Custody, PublicKey } from '../../../core/ports/custody.ts'
import {
  BundleRefusal,
  type Files,
  importRoots,
  keyName,
  PURPOSE,
  readSignatures,
  SIGNATURES,
  statementOf,
  verifyStatement,
  writeSignatures,
} from '../../../formats/bundle/index.ts'
import { signToken, type TokenKey } from './token.ts'

/** How verifiers know a policy key. */
export function policyVkey({ name, publicKey }: Pick<PublicKey, 'name' | 'publicKey'>): string {
  return formatVkey(keyName(name), publicKey)
}

/**
 * With the signature of one key of scope `policy`; one that it had of the same key is replaced.
 *
 * @throws BundleRefusal `wrong_scope`; `missing_file`, `invalid_manifest`; CustodyError `not_active`, `retired`
 */
export async function signWithKey(files: Files, custody: Custody, key: PublicKey): Promise<Files> {
  if (key.scope !== 'policy')
    throw new BundleRefusal('wrong_scope', `a key of scope ${key.scope} signs no policies`)
  const text = statementOf(files)
  const { name, publicKey, scope, version } = key
  const message = new TextEncoder().encode(text)
  const signature = await custody.sign({ key: { name, scope, version }, purpose: PURPOSE, message })
  const line = signatureLine(keyName(name), publicKey, signature)
  const roots = importRoots({ keys: [policyVkey(key)], threshold: 1 })
  verifyStatement(text, [line], roots)
  const found = readSignatures(files.get(SIGNATURES))
  const others = (found.assay ?? []).filter((other) => !sameSigner(other, line))
  return withSignatures(files, writeSignatures({ ...found, assay: [...others, line] }))
}

/** With OPA's token in the place of one that was there. @throws BundleRefusal `signature_invalid` */
export async function signWithToken(files: Files, key: TokenKey): Promise<Files> {
  const found = readSignatures(files.get(SIGNATURES))
  const signatures = [await signToken(files, key)]
  return withSignatures(files, writeSignatures({ ...found, signatures }))
}

function withSignatures(files: Files, bytes: Uint8Array): Files {
  return new Map([...files, [SIGNATURES, bytes]])
}

/** Key ID and name are the same; the ID is the first four bytes, so the first characters of the base64. */
function sameSigner(a: string, b: string): boolean {
  const [who, other] = [a, b].map((line) => line.split(' ').slice(0, 2).join(' '))
  const [id, otherId] = [a, b].map((line) => line.split(' ')[2]?.slice(0, 5))
  return who === other && id === otherId
}

/** With lines that others made with their keys, each on a machine of its own. @throws BundleRefusal `signature_invalid`: not a line */
export function addLines(files: Files, lines: readonly string[]): Files {
  const found = readSignatures(files.get(SIGNATURES))
  if (lines.some((line) => !/^— \S+ \S+$/.test(line)))
    throw new BundleRefusal('signature_invalid', 'this is no line of a policy key')
  const others = (found.assay ?? []).filter((old) => !lines.some((line) => sameSigner(old, line)))
  return withSignatures(files, writeSignatures({ ...found, assay: [...others, ...lines] }))
}
