/** What cannot be brought about everywhere: names that do not resolve, certificates that are not trusted, an SDK that is not there. */
import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../clock/system.ts'
import { CallFailed, failureOf } from './failure.ts'

afterEach(() => {
  vi.doUnmock('@aws-sdk/client-kms')
  vi.resetModules()
})

it.each([
  [{ code: 'ENOTFOUND' }, 'misconfigured', 'custody.region'],
  [{ code: 'EAI_AGAIN' }, 'unavailable', 'custody.endpoint'],
  [{ code: 'ECONNREFUSED' }, 'unavailable', 'custody.endpoint'],
  [{ code: 'ECONNRESET' }, 'unavailable', 'try again'],
  [{ code: 'CERT_HAS_EXPIRED' }, 'misconfigured', 'NODE_EXTRA_CA_CERTS'],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'misconfigured', 'custody.endpoint'],
  [{ name: 'ExpiredTokenException' }, 'denied', 'expired'],
  [{ name: 'constructor' }, 'unavailable', 'try again'],
  [{ name: 'Odd', $metadata: { httpStatusCode: 429 } }, 'unavailable', 'takes no more'],
  [{ name: 'Odd', $metadata: { httpStatusCode: 403 } }, 'denied', 'kms:Sign'],
  [{ name: 'Odd', $metadata: { httpStatusCode: 301 } }, 'misconfigured', 'custody.endpoint'],
] as const)('%j is %s and says %s', (thrown, code, said) => {
  const place = { region: 'eu-central-1', endpoint: 'https://user:hidden@kms.example:8443/path' }
  const error = new CallFailed(failureOf(thrown), place, 'Sign')
  expect(error.code).toBe(code)
  expect(error.message).toContain(said)
  expect(error.message).toContain('kms:Sign')
  expect(error.message).not.toContain('hidden')
})

it('tells a kind of key that KMS does not make from a key of another kind', () => {
  const place = { region: 'eu-central-1' }
  const failure = failureOf({ name: 'ValidationException' })
  expect(new CallFailed(failure, place, 'CreateKey').message).toContain('custody.algorithms')
  expect(new CallFailed(failure, place, 'Sign').message).toContain('custody.prefix')
})

it('says what to install where the SDK is missing', async () => {
  vi.resetModules()
  vi.doMock('@aws-sdk/client-kms', () => {
    throw new Error('not found')
  })
  const { openKmsCustody } = await import('./index.ts')
  const opening = openKmsCustody({ region: 'eu-central-1', clock: systemClock })
  const error = await opening.catch((thrown: unknown) => thrown as Error)
  expect(error).toMatchObject({ code: 'misconfigured' })
  expect((error as Error).message).toContain('npm install @aws-sdk/client-kms')
})

it('needs no network to be opened', async () => {
  const { openKmsCustody } = await import('./index.ts')
  const custody = await openKmsCustody({ region: 'eu-central-1', clock: systemClock })
  expect(custody).toMatchObject({
    name: 'custody/kms',
    algorithms: ['ecdsa-p256'],
    maxMessageBytes: 4096,
  })
  await custody.close()
  await expect(custody.list('log')).rejects.toMatchObject({ code: 'closed' })
})
