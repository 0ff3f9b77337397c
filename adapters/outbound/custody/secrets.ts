/** What the port Secrets does for the signer's records: the same as custody does for keys, and sealing. */
import { fromBase64url, toBase64url } from '../../../core/base64.ts'
import { CustodyError } from '../../../core/error.ts'
import type { Secrets } from '../../../core/ports/secrets.ts'
import type { Seal } from './entries.ts'
import { type Kept, unlessFinal } from './keys.ts'

/** @param secrets undefined: whatever is asked fails, for good */
export function keptSecrets(secrets: Secrets | undefined): Kept {
  return {
    list: async () => given(secrets).list(),
    create: async (_scope, name) => given(secrets).create(name),
    transition: async ({ name, version }, state) =>
      given(secrets).transition({ name, version }, state),
  }
}

/** Custody may be ahead of the record, and a recipient may be no key. */
const FINAL: ReadonlySet<string> = new Set([
  'not_active',
  'retired',
  'scope_mismatch',
  'unknown_key',
  'weak_key',
])

/** @throws CustodyError: try again later */
export async function seal(
  secrets: Secrets | undefined,
  { decision, name, recipient, version }: Seal,
): Promise<{ readonly failed: string } | { readonly sealed: string }> {
  return unlessFinal(async () => {
    const key = fromBase64url(recipient) ?? new Uint8Array()
    const request = { decision, name, recipient: key, version }
    return { sealed: toBase64url(await given(secrets).seal(request)) }
  }, FINAL)
}

function given(secrets: Secrets | undefined): Secrets {
  if (secrets !== undefined) return secrets
  throw new CustodyError(
    'outbound/custody',
    'scope_mismatch',
    'no place for secrets is configured: name one in the member secrets',
  )
}
