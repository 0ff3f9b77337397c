/** What goes wrong with Vault, as the Custody port's codes. Messages name settings, paths and statuses; never a header, a body or a file's content. */
import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'

export const NAME = 'custody/vault'

export function refuse(code: CustodyErrorCode, what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}

/** OpenSSL's reasons for not trusting a certificate that do not begin with `CERT_`. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'HOSTNAME_MISMATCH',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** A request that got no answer. No cause: requests hold tokens. */
export function unanswered(address: string, error: unknown): CustodyError {
  const code = String((error as { code?: unknown }).code ?? 'no code')
  if (UNTRUSTED.has(code) || /^(CERT_|ERR_TLS_)/.test(code))
    return refuse(
      'misconfigured',
      `the certificate of ${address} is not trusted (${code}); correct address, or name its authority in caFile`,
    )
  if (/^(EPROTO|ERR_SSL_|HPE_)/.test(code))
    return refuse(
      'misconfigured',
      `${address} does not speak the protocol of its address (${code}); correct address: http or https, host and port`,
    )
  return refuse(
    'unavailable',
    `${address} does not answer (${code}); start Vault, or correct address`,
  )
}

/** An answer with a status that the caller has no use for. @param asked for example `read transit/keys/x` */
export function unexpected(address: string, asked: string, status: number): CustodyError {
  if (status === 503)
    return refuse('unavailable', `${address} is sealed or stands by (503); unseal it, then again`)
  if (status === 429)
    return refuse('unavailable', `${address} throttles (429); again later, or raise its quota`)
  if (status >= 500 || status === 412 || status === 472 || status === 473)
    return refuse('unavailable', `${asked} failed at ${address} (${status}); see Vault's log`)
  if (status === 403) return lacking(asked)
  if (status >= 300 && status < 400)
    return refuse(
      'misconfigured',
      `${address} redirects (${status}), which would take a token elsewhere; set address to the active node`,
    )
  return refuse(
    'misconfigured',
    `${asked} is refused (${status}); correct mount, kvMount or namespace`,
  )
}

export function lacking(asked: string): CustodyError {
  return refuse(
    'denied',
    `the token is valid and may not ${asked}; add it to the token's policy, or correct mount, kvMount, prefix or namespace`,
  )
}

export const isUnavailable = (error: unknown): boolean =>
  error instanceof CustodyError && error.code === 'unavailable'
