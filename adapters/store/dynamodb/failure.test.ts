/** What no test can bring about everywhere: names that do not resolve, certificates that are not trusted, answers of somebody else. */
import { expect, it } from 'vitest'
import { failureOf, storeError } from './failure.ts'

it.each([
  [{ code: 'ENOTFOUND' }, 'misconfigured', 'store.region'],
  [{ code: 'ECONNREFUSED' }, 'unavailable', 'store.endpoint'],
  [{ code: 'ECONNRESET' }, 'unavailable', 'try again'],
  [{ code: 'CERT_HAS_EXPIRED' }, 'misconfigured', 'NODE_EXTRA_CA_CERTS'],
  [{ name: 'ExpiredTokenException' }, 'denied', 'expired'],
  [{ name: 'AccessDeniedException' }, 'denied', "the store's IAM policy"],
  [{ name: 'constructor' }, 'unavailable', 'try again'],
  [{ name: 'Odd', $metadata: { httpStatusCode: 301 } }, 'misconfigured', 'store.endpoint'],
] as const)('%j is %s and says %s', (thrown, code, said) => {
  const endpoint = 'https://user:hidden@dynamodb.example:8443/path'
  const place = { table: 'assay', region: 'eu-central-1', endpoint }
  const error = storeError(failureOf(thrown), place, 'GetItem')
  expect(error.code).toBe(code)
  expect(error.message).toContain(said)
  expect(error.message).toContain('GetItem')
  expect(error.message).not.toContain('hidden')
})
