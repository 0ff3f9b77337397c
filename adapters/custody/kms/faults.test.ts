/** The way to KMS goes wrong: always a typed error within the deadline, nothing half done, no secret told. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CustodyError } from '../../../core/error.ts'
import type { Custody, PublicKey } from '../../../core/ports/custody.ts'
import { localstack } from '../../../test/backends/localstack.ts'
import { type Fault, faultProxy, type Seen } from '../../../test/backends/proxy.ts'
import { type OpenedKms, openKms, useAccount } from '../../../test/conformance/custody/kms.ts'
import { keyIn, sign, verifies } from '../../../test/conformance/custody/subject.ts'
import { openKmsCustody } from './index.ts'

const message = new TextEncoder().encode('a message')
const SECRET = 'aSecretThatNobodyMayRead'
const TIMEOUT_MS = 1500

let opened: OpenedKms
let custody: Custody
beforeEach(async () => {
  useAccount()
  process.env.AWS_SECRET_ACCESS_KEY = SECRET
  opened = await openKms({ timeoutMs: TIMEOUT_MS })
  custody = opened.custody
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await opened.dispose()
})

const actionOf = ({ headers }: Seen): string =>
  String(headers['x-amz-target']).replace('TrentService.', '')
const named = (type: string, status = 400): Fault => ({
  answer: { status, body: JSON.stringify({ __type: type, message: `of ${type}` }) },
})
/** The first `times` calls of one action go wrong. */
function failing(action: string, fault: Fault, times = Number.POSITIVE_INFINITY): void {
  let left = times
  opened.proxy.fault = (seen) => (actionOf(seen) === action && left-- > 0 ? fault : undefined)
}
const called = (action: string): number =>
  opened.proxy.seen.filter((seen) => actionOf(seen) === action).length

async function refused(call: Promise<unknown>): Promise<CustodyError> {
  const began = performance.now()
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as CustodyError,
  )
  if (error === undefined) throw new Error('it was done')
  // Not how fast it is: that it ends.
  expect(performance.now() - began).toBeLessThan(8000)
  const told = `${inspect(error, { depth: 9 })} ${inspect(custody, { depth: 9, showHidden: true })}`
  expect(told).not.toContain(SECRET)
  expect(error.message).toMatch(/^\[custody\/kms\] /)
  expect(error.message).not.toContain('\n')
  expect(error.cause).toBeUndefined()
  return error
}

describe('what passes is tried again', () => {
  it.each([
    ['throttling', named('ThrottlingException')],
    ['a quota', named('LimitExceededException')],
    ['an error of its own', named('KMSInternalException', 500)],
    ['a gateway', { answer: { status: 503, body: 'busy' } }],
    ['a lost request', 'lose'],
    ['a lost answer', 'loseAnswer'],
    ['half an answer', { cut: 10 }],
  ] as const)('%s', async (_, fault) => {
    const key = await keyIn(custody, 'active')
    failing('Sign', fault, 2)
    expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
    expect(called('Sign')).toBe(3)
  })

  it.each([
    ['ThrottlingException', 400],
    ['LimitExceededException', 400],
    ['KMSInternalException', 500],
  ])('and ends as unavailable: %s', async (type, status) => {
    const key = await keyIn(custody, 'active')
    failing('Sign', named(type, status))
    expect((await refused(sign(custody, key, message))).code).toBe('unavailable')
    expect(called('Sign')).toBeGreaterThan(2)
    expect(called('Sign')).toBeLessThan(30)
  })
})

describe('what may have been done is not done twice', () => {
  const versions = async (): Promise<readonly number[]> =>
    (await custody.list('log')).map(({ version }) => version)

  it('a key that was made without an answer is no version', async () => {
    failing('CreateKey', 'loseAnswer')
    expect((await refused(custody.create('log', 'main'))).code).toBe('unavailable')
    expect(called('CreateKey')).toBe(1)
    opened.proxy.fault = () => undefined
    expect(await versions()).toEqual([])
    expect((await custody.create('log', 'main')).version).toBe(1)
  })

  it('a version that was named without an answer is found', async () => {
    failing('CreateAlias', 'loseAnswer', 1)
    expect((await custody.create('log', 'main')).version).toBe(1)
    expect(await versions()).toEqual([1])
    expect(called('CreateKey')).toBe(1)
  })

  it('a move without an answer is found', async () => {
    const key = await keyIn(custody, 'active')
    failing('CreateAlias', 'loseAnswer', 1)
    expect(await custody.transition(key, 'grace')).toMatchObject({ state: 'grace' })
    expect(await custody.list('log')).toMatchObject([{ state: 'grace' }])
  })

  it.each(['CreateAlias', 'ListAliases'])(
    'a silent %s leaves it unknown or undone',
    async (action) => {
      const key = await keyIn(custody, 'active')
      failing(action, 'hang')
      const { code } = await refused(custody.transition(key, 'grace'))
      expect(code).toBe(action === 'CreateAlias' ? 'unknown_outcome' : 'unavailable')
      opened.proxy.fault = () => undefined
      expect(await custody.list('log')).toMatchObject([{ state: 'active' }])
      expect(await custody.transition(key, 'grace')).toMatchObject({ state: 'grace' })
    },
  )

  it('a retirement that ended half way signs nothing, and is done by asking again', async () => {
    const key = await keyIn(custody, 'grace')
    failing('CreateAlias', named('AccessDeniedException'))
    expect((await refused(custody.transition(key, 'retired'))).code).toBe('denied')
    opened.proxy.fault = () => undefined
    expect(await custody.list('log')).toMatchObject([{ state: 'grace' }])
    expect(await custody.transition(key, 'retired')).toMatchObject({ state: 'retired' })
    expect(await custody.transition(key, 'active')).toMatchObject({ state: 'active' })
    expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
  })

  it('a rollback that a revocation overtakes is refused, and the key stays disabled', async () => {
    await opened.dispose()
    opened = await openKms({ timeoutMs: 10_000 })
    custody = opened.custody
    const key = await keyIn(custody, 'retired')
    const other = await opened.another()
    let revoked = false
    opened.proxy.fault = (seen) =>
      !revoked && actionOf(seen) === 'CreateAlias' && String(seen.body).includes('-active')
        ? 'lose'
        : undefined
    const rollback = refused(custody.transition(key, 'active'))
    await expect.poll(() => called('EnableKey')).toBe(1)
    expect(await other.transition(key, 'revoked')).toMatchObject({ state: 'revoked' })
    revoked = true
    expect((await rollback).code).toBe('invalid_transition')
    expect(await custody.list('log')).toMatchObject([{ state: 'revoked' }])
    const switched = opened.proxy.seen.map(actionOf).filter((one) => /^(En|Dis)able/.test(one))
    expect(switched.at(-1)).toBe('DisableKey')
    expect((await refused(sign(custody, key, message))).code).toBe('retired')
  })
})

describe('what an operator has to mend is said once', () => {
  const ACTIONS: readonly (readonly [string, (key: PublicKey) => Promise<unknown>])[] = [
    ['Sign', (key) => sign(custody, key, message)],
    ['ListAliases', async () => (await opened.another()).list('log')],
    ['DescribeKey', async () => (await opened.another()).list('log')],
    ['ListResourceTags', async () => (await opened.another()).list('log')],
    ['GetPublicKey', async () => (await opened.another()).list('log')],
    ['CreateKey', () => custody.create('log', 'other')],
    ['TagResource', () => custody.create('log', 'other')],
    ['CreateAlias', () => custody.create('log', 'other')],
    ['DisableKey', (key) => custody.transition(key, 'revoked')],
  ]
  it.each(ACTIONS)('without kms:%s', async (action, call) => {
    const key = await keyIn(custody, 'active')
    failing(action, named('AccessDeniedException'))
    const before = called(action)
    const { code, message } = await refused(call(key))
    expect([code, called(action) - before]).toEqual(['denied', 1])
    expect(message).toContain(`kms:${action}`)
    expect(message).toContain('eu-central-1')
  })

  it.each([
    ['ExpiredTokenException', 'denied'],
    ['UnrecognizedClientException', 'denied'],
    ['InvalidSignatureException', 'denied'],
    ['RequestExpired', 'misconfigured'],
    ['NotFoundException', 'unknown_key'],
    ['KMSInvalidStateException', 'misconfigured'],
    ['InvalidKeyUsageException', 'misconfigured'],
    ['ValidationException', 'misconfigured'],
  ])('%s is %s', async (type, code) => {
    const key = await keyIn(custody, 'active')
    failing('Sign', named(type))
    expect((await refused(sign(custody, key, message))).code).toBe(code)
  })

  it.each([
    ['a page', { answer: { status: 200, body: '<html>' } }],
    ['another page', { answer: { status: 404, body: '<html>' } }],
    ['another service', { answer: { status: 200, body: '{}' } }],
  ] as const)('an endpoint that is not KMS: %s', async (_, fault) => {
    opened.proxy.fault = () => fault
    const { code, message } = await refused(custody.list('log'))
    expect(code).toBe('misconfigured')
    expect(message).toContain('custody.endpoint')
  })

  it('an endpoint where nobody listens', async () => {
    const { clock } = opened.options
    await opened.proxy.close()
    const gone = await openKmsCustody({ ...opened.options, clock })
    const { code, message } = await refused(gone.list('log'))
    expect(code).toBe('unavailable')
    expect(message).toContain('custody.endpoint')
    opened = await openKms()
  })

  it('an endpoint without TLS where TLS is asked for', async () => {
    const endpoint = opened.proxy.url.replace('http:', 'https:')
    const { code } = await refused(
      (await openKmsCustody({ ...opened.options, endpoint })).list('log'),
    )
    expect(code).toBe('misconfigured')
  })

  it('no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
      vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    expect((await refused((await opened.another()).list('log'))).code).toBe('denied')
  })

  it('a signature of another key, or of none, is not passed on', async () => {
    const [key, other] = [await keyIn(custody, 'active'), await keyIn(custody, 'active', 'other')]
    const signed = Buffer.from('MEUCIQ', 'base64').toString('base64')
    failing('Sign', { answer: { status: 200, body: JSON.stringify({ Signature: signed }) } })
    expect((await refused(sign(custody, key, message))).code).toBe('corrupt')
    const { endpoint } = await localstack()
    const answer = await rawSign(endpoint, opened, other)
    failing('Sign', { answer: { status: 200, body: answer } })
    expect((await refused(sign(custody, key, message))).code).toBe('corrupt')
  })

  it('a message that is too large is not sent', async () => {
    const key = await keyIn(custody, 'active')
    const before = opened.proxy.seen.length
    expect((await refused(sign(custody, key, new Uint8Array(4097)))).code).toBe('too_large')
    expect(opened.proxy.seen.length).toBe(before)
  })
})

/** What KMS answers to a Sign with another key: recorded on its way through a proxy of its own. */
async function rawSign(endpoint: string, at: OpenedKms, key: PublicKey): Promise<string> {
  const proxy = await faultProxy(endpoint)
  const through = await openKmsCustody({ ...at.options, endpoint: proxy.url })
  await sign(through, key, message)
  const asked = proxy.seen.find((seen) => actionOf(seen) === 'Sign') as Seen
  const { host: _, ...headers } = asked.headers
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: headers as Record<string, string>,
    body: Uint8Array.from(asked.body),
  })
  await through.close()
  await proxy.close()
  return answer.text()
}

describe('a clock that is wrong', () => {
  const HOUR_MS = 3_600_000
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  /** KMS where it is an hour later: as AWS, it refuses what was signed more than five minutes away. */
  async function later(right: boolean): Promise<string> {
    const { endpoint } = await localstack()
    const server = createServer(async (asked, answer) => {
      const parts: Buffer[] = []
      for await (const part of asked) parts.push(part as Buffer)
      const now = Date.now() + HOUR_MS
      const date = String(asked.headers['x-amz-date']).replace(
        /^(....)(..)(..)T(..)(..)(..)Z$/,
        '$1-$2-$3T$4:$5:$6Z',
      )
      if (right) answer.setHeader('date', new Date(now).toUTCString())
      if (Math.abs(Date.parse(date) - now) > 300_000) {
        const text = `Signature expired: ${date} is now earlier than the request`
        answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
        answer.end(JSON.stringify({ __type: 'InvalidSignatureException', message: text }))
        return
      }
      const { host: _, connection: __, 'content-length': ___, ...headers } = asked.headers
      const body = Uint8Array.from(Buffer.concat(parts))
      const got = await fetch(endpoint, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body,
      })
      answer.writeHead(got.status, { 'content-type': 'application/x-amz-json-1.1' })
      answer.end(await got.text())
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('is corrected by the time in the answer', async () => {
    const skewed = await openKmsCustody({ ...opened.options, endpoint: await later(true) })
    const key = await keyIn(skewed, 'active')
    expect(verifies(key, await sign(skewed, key, message), message)).toBe(true)
    await skewed.close()
  })

  it('is named where that does not help', async () => {
    const skewed = await openKmsCustody({ ...opened.options, endpoint: await later(false) })
    const { code, message } = await refused(skewed.list('log'))
    expect(code).toBe('misconfigured')
    expect(message).toContain('clock')
    await skewed.close()
  })
})
