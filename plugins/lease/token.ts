/** The token of a lease: the authority block of a `cap1` token, signed by the key of the cell whose resource is leased. */
import { toBase64url } from '../../core/crypto.ts'
import type { EffectPlan } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import { authorityMessage, authorityPayload } from '../../formats/cap1/index.ts'
import type { LeaseRecord } from './records.ts'

interface Issue {
  /** Name of the cell's key in custody. */
  readonly custody: string
  /** The holder's next key: it can narrow the token, or seal it. */
  readonly nk: string
  /** Default: the lease and its generation. */
  readonly jti: string | undefined
  readonly now: UnixSeconds
}

/**
 * `output` has `lease`, `generation`, `expires_at`, and what a holder assembles the token of: `payload` and `signature`, both base64url. The
 * signature comes from the kernel, in the commit.
 *
 * @throws TypeError when no reader would take the token
 */
export function tokenOf(
  record: LeaseRecord,
  { custody, jti, nk, now }: Issue,
): Required<Pick<EffectPlan, 'output' | 'signatures'>> {
  const { caveats, cell, cnf, expires_at, generation, lease, resource, tenant } = record
  const payload = authorityPayload({
    aud: cell,
    caveats,
    ...(cnf === undefined ? {} : { cnf }),
    exp: expires_at,
    gen: generation,
    iat: now,
    iss: cell,
    jti: jti ?? `${lease}.${generation}`,
    lease,
    nk,
    resource,
    tenant,
  })
  return {
    output: { expires_at, generation, lease, payload: toBase64url(payload) },
    signatures: [
      {
        name: 'signature',
        scope: 'cell',
        key: custody,
        purpose: 'capability.token',
        message: authorityMessage(payload),
      },
    ],
  }
}
