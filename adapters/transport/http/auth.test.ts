import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../core/crypto.ts'
import { Authority, type Certificate } from '../../../test/certificates.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { FakeKernel } from '../../../test/fake-kernel.ts'
import { posted } from '../../../test/http-lanes.ts'
import { AUDIENCE, forged, ISSUER, Issuer } from '../../../test/issuer.ts'
import { RawClient, rawPost } from '../../../test/raw-http.ts'
import { systemClock } from '../../clock/system.ts'
import { Refusal } from './answer.ts'
import { peerOf } from './auth-certificate.ts'
import type { AuthOption, JwtMethod } from './auth-options.ts'
import { MAX_TOKEN, readBearer } from './auth-token.ts'
import {
  Authenticator,
  createApp,
  type HttpEvent,
  type HttpOptions,
  type HttpServer,
  serveHttp,
} from './index.ts'

const EVALUATION = '/access/v1/evaluation'
const TEXT = JSON.stringify({
  subject: { type: 'user', id: 'a' },
  action: { name: 'read' },
  resource: { type: 'r', id: 'b' },
})
const SECRET = 'a-token-of-thirty-two-characters'
const SERVICE = { kind: 'service', id: 'ci' }
const known: AuthOption = {
  kind: 'bearer',
  tokens: [{ sha256: sha256Hex(SECRET), peer: SERVICE }],
}

let folder: string
let issuer: Issuer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-auth-'))
  issuer = await Issuer.make()
})
afterAll(async () => {
  await issuer.close()
  await rm(folder, { recursive: true, force: true })
})

async function served(
  options: HttpOptions,
  use: (server: HttpServer, kernel: FakeKernel, events: readonly HttpEvent[]) => Promise<void>,
): Promise<void> {
  const kernel = new FakeKernel()
  const events: HttpEvent[] = []
  const onEvent = (event: HttpEvent): void => void events.push(event)
  const server = await serveHttp(kernel, { clock: systemClock, lookMs: 20, onEvent, ...options })
  try {
    await use(server, kernel, events)
  } finally {
    await server.close()
  }
}

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` })
const ask = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url + EVALUATION, posted(TEXT, headers))
const peers = (kernel: FakeKernel): unknown[] =>
  kernel.dispatches.map(({ submission }) => submission.peer)

describe('the header Authorization', () => {
  const codeOf = (lines: readonly string[]): string | undefined => {
    try {
      return readBearer(lines)
    } catch (error) {
      if (error instanceof Refusal) return `!${error.code}`
      throw error
    }
  }

  test('holds one token', () => {
    expect(codeOf([])).toBeUndefined()
    expect(codeOf(['Bearer abc.def-_~+/=='])).toBe('abc.def-_~+/==')
    expect(codeOf(['bEARER   abc'])).toBe('abc')
    expect(codeOf(['Bearer abc', 'Bearer abc'])).toBe('!invalid_header')
    expect(codeOf([`Bearer ${'a'.repeat(MAX_TOKEN)}`])).toBe('a'.repeat(MAX_TOKEN))
    expect(codeOf([`Bearer ${'a'.repeat(MAX_TOKEN + 1)}`])).toBe('!invalid_header')
    const no = [
      '',
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Bearer a,b',
      'Basic abc',
      'abc',
      ' Bearer a',
    ]
    for (const line of no) expect(codeOf([line])).toBe('!invalid_token')
  })

  test('is read or refused, whatever it is, and never as part of another one', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'Bearer ,;="\t.abc~') }).map((rest) => `Bearer ${rest}`),
    )
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), (lines) => {
        const read = codeOf(lines)
        if (read === undefined) return lines.length === 0
        if (read.startsWith('!')) return true
        return lines.length === 1 && lines[0]?.endsWith(` ${read}`) === true && !/[\s,]/.test(read)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('tokens that are known', () => {
  test('make the peer that they stand for; others are refused and counted, and nothing is dispatched', async () => {
    await served({ auth: known }, async ({ url }, kernel) => {
      expect((await ask(url, bearer(SECRET))).status).toBe(200)
      expect(peers(kernel)).toEqual([SERVICE])
      const none = await ask(url)
      expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
      expect(await none.text()).toMatch(/^unauthenticated: /)
      const wrong = await ask(url, bearer(`${SECRET}x`))
      expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ])
      expect((await ask(url, { Authorization: `Basic ${btoa('a:b')}` })).status).toBe(401)
      expect(kernel.dispatches.length).toBe(1)
      expect(kernel.refusals).toEqual([
        'http unauthenticated',
        'http invalid_token',
        'http invalid_token',
      ])
    })
  })

  test('are not taken from a header that came twice', async () => {
    await served({ auth: known }, async ({ port }, kernel) => {
      const raw = await RawClient.to(port)
      const line = `Authorization: Bearer ${SECRET}`
      for (const extra of [
        [line, line],
        [line, 'Authorization: Bearer other'],
      ]) {
        raw.write(rawPost(EVALUATION, TEXT, extra))
        expect((await raw.answer())?.status).toBe(400)
      }
      raw.destroy()
      expect(kernel.dispatches).toEqual([])
    })
  })

  test('guard every endpoint but those that are open', async () => {
    await served({ auth: known }, async ({ url }) => {
      const status = async (path: string, headers = {}): Promise<number> =>
        (await fetch(url + path, { headers })).status
      for (const path of ['/health/live', '/health/ready', '/.well-known/authzen-configuration'])
        expect(await status(path)).toBe(200)
      expect(await status('/log/checkpoint')).not.toBe(401)
      for (const path of [`/assay/v1/receipts/${'0'.repeat(32)}`, '/no/such/path', '/log'])
        expect([path, await status(path)]).toEqual([path, 401])
      expect(await status('/no/such/path', bearer(SECRET))).toBe(404)
    })
    await served({ auth: known, open: [] }, async ({ url }) => {
      for (const path of ['/health/live', '/log/checkpoint', '/.well-known/authzen-configuration'])
        expect((await fetch(url + path)).status).toBe(401)
    })
  })

  test('come from files, which may change; what cannot be used changes nothing', async () => {
    const file = join(folder, 'token')
    const put = async (text: string): Promise<void> => {
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
    }
    await put(`${SECRET}\n`)
    const auth: AuthOption = { kind: 'bearer', tokens: [{ file, peer: SERVICE }] }
    await served({ auth }, async ({ url }, _, events) => {
      expect((await ask(url, bearer(SECRET))).status).toBe(200)
      await put('short')
      while (events.length < 1) await sleep(5)
      expect((await ask(url, bearer(SECRET))).status).toBe(200)
      await put('another-token-of-many-characters')
      while (events.length < 2) await sleep(5)
      expect(events.map(({ kind }) => kind)).toEqual(['auth_refused', 'auth_reloaded'])
      expect(JSON.stringify(events)).not.toMatch(/short|another-token|thirty/)
      expect((await ask(url, bearer(SECRET))).status).toBe(401)
      expect((await ask(url, bearer('another-token-of-many-characters'))).status).toBe(200)
    })
  })
})

const jwt = (more: Partial<JwtMethod> = {}): JwtMethod => ({
  kind: 'jwt',
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: { url: issuer.url },
  ...more,
})
const seconds = (): number => Math.floor(Date.now() / 1000)

describe('signed tokens', () => {
  test('make a peer of their subject, under the configured kind', async () => {
    await served({ auth: jwt() }, async ({ url }, kernel) => {
      expect((await ask(url, bearer(await issuer.token()))).status).toBe(200)
      const soon = { exp: seconds() - 10, nbf: seconds() + 10 }
      expect((await ask(url, bearer(await issuer.token(soon)))).status).toBe(200)
      expect((await ask(url, bearer(await issuer.token({ aud: ['x', AUDIENCE] })))).status).toBe(
        200,
      )
      expect(peers(kernel)).toEqual(Array(3).fill({ kind: 'user', id: 'ada' }))
    })
    const named = jwt({ peer: { kind: 'employee', claim: 'email' } })
    await served({ auth: named }, async ({ url }, kernel) => {
      const token = await issuer.token({ email: 'ada@example.com', kind: 'operator', peer: 'x' })
      expect((await ask(url, bearer(token))).status).toBe(200)
      expect(peers(kernel)).toEqual([{ kind: 'employee', id: 'ada@example.com' }])
    })
  })

  const bad: readonly [name: string, token: () => Promise<string> | string][] = [
    ['expired', () => issuer.token({ exp: seconds() - 60 })],
    ['without an end', () => issuer.token({ exp: undefined })],
    ['not valid yet', () => issuer.token({ nbf: seconds() + 60 })],
    ['of another issuer', () => issuer.token({ iss: 'https://evil.example' })],
    ['without an issuer', () => issuer.token({ iss: undefined })],
    ['for somebody else', () => issuer.token({ aud: 'https://other.example' })],
    ['for nobody', () => issuer.token({ aud: undefined })],
    ['without a subject', () => issuer.token({ sub: undefined })],
    ['with a subject that is no text', () => issuer.token({ sub: { id: 'ada' } })],
    ['with an empty subject', () => issuer.token({ sub: '' })],
    ['with a subject that is too long', () => issuer.token({ sub: 'a'.repeat(257) })],
    ['with a subject of two lines', () => issuer.token({ sub: 'ada\nroot' })],
    ['with a subject that a terminal obeys', () => issuer.token({ sub: 'ada\u001b[2J' })],
    ['with something critical that nobody knows', () => issuer.token({}, { crit: ['x'], x: 1 })],
    ['of a key that nobody knows', () => issuer.token({}, { kid: 'k2' })],
    ['that nobody signed', () => forged({ alg: 'none' }, claims())],
    ['that nobody signed, of a known key', () => forged({ alg: 'none', kid: 'k1' }, claims())],
    ['signed with the public key as a secret', () => confused('HS256')],
    [
      'that says it is signed and is not',
      () => forged({ alg: 'ES256', kid: 'k1' }, claims(), 'AA'),
    ],
    ['changed after it was signed', () => changed()],
    ['of two parts', async () => (await issuer.token()).split('.').slice(0, 2).join('.')],
    ['that is encrypted', () => 'a.b.c.d.e'],
    ['that is none', () => 'token'],
  ]
  const claims = (): Record<string, unknown> => ({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    exp: seconds() + 300,
  })
  const confused = (alg: string): string => {
    const unsigned = forged({ alg, kid: 'k1' }, claims()).slice(0, -1)
    const key = JSON.stringify(issuer.jwk)
    return `${unsigned}.${createHmac('sha256', key).update(unsigned).digest('base64url')}`
  }
  const changed = async (): Promise<string> => {
    const [head, , signature] = (await issuer.token()).split('.')
    const [, payload] = forged({}, { ...claims(), sub: 'eve' }).split('.')
    return `${head}.${payload}.${signature}`
  }

  test('are refused when anything about them does not hold', async () => {
    await served({ auth: jwt() }, async ({ url }, kernel) => {
      for (const [name, token] of bad) {
        const answer = await ask(url, bearer(await token()))
        expect([name, answer.status]).toEqual([name, 401])
        expect(await answer.text()).toBe(
          'invalid_token: the token is not valid here, or not any more',
        )
      }
      expect(kernel.dispatches).toEqual([])
      expect(kernel.refusals).toEqual(bad.map(() => 'http invalid_token'))
    })
  })

  test('may name the realm that they are good for, and then must', async () => {
    const [a, b] = [new FakeKernel(), new FakeKernel()]
    const options = {
      auth: jwt({ realmClaim: 'tenant' }),
      realms: { a: { kernel: a }, b: { kernel: b } },
    }
    await served(options, async ({ url }, own) => {
      const status = async (at: string, tenant: unknown): Promise<number> =>
        (await ask(url + at, bearer(await issuer.token({ tenant, realm: 'b' })))).status
      expect(await status('/realms/a', 'a')).toBe(200)
      expect(await status('/realms/b', 'a')).toBe(403)
      expect(await status('', 'a')).toBe(403)
      for (const tenant of [undefined, '', ['a'], null, 7])
        expect(await status('/realms/a', tenant)).toBe(401)
      expect([a, b, own].map(({ dispatches }) => dispatches.length)).toEqual([1, 0, 0])
    })
  })

  test('of another type are refused where a type is named', async () => {
    await served({ auth: jwt({ typ: 'at+jwt' }) }, async ({ url }) => {
      expect((await ask(url, bearer(await issuer.token()))).status).toBe(401)
      const token = await issuer.token({}, { typ: 'at+jwt' })
      expect((await ask(url, bearer(token))).status).toBe(200)
    })
  })

  test('are neither good nor bad while their keys cannot be had: 503', async () => {
    const broken = await Issuer.make()
    const good = broken.answer
    await served({ auth: jwt({ jwks: { url: broken.url } }) }, async ({ url }, kernel) => {
      const token = bearer(await broken.token())
      for (const answer of [
        { status: 500, body: '' },
        { status: 200, body: 'no JSON' },
        { status: 200, body: '{"keys":7}' },
        { status: 200, body: `{"keys":[],"x":"${'x'.repeat(1_100_000)}"}` },
      ]) {
        broken.answer = answer
        const refused = await ask(url, token)
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
        expect(await refused.text()).toMatch(/^unavailable: /)
      }
      // One that failed a moment ago is not asked for every request.
      const { asked } = broken
      expect((await ask(url, token)).status).toBe(503)
      expect(broken.asked - asked).toBeLessThanOrEqual(1)
      broken.answer = good
      while ((await ask(url, token)).status === 503) await sleep(50)
      expect(peers(kernel).at(-1)).toEqual({ kind: 'user', id: 'ada' })
    })
    await broken.close()
  })

  test('are verified with keys from a file, which may change', async () => {
    const file = join(folder, 'jwks.json')
    const other = await Issuer.make()
    await writeFile(file, JSON.stringify({ keys: [other.jwk] }))
    await served({ auth: jwt({ jwks: { file } }) }, async ({ url }, _, events) => {
      expect((await ask(url, bearer(await issuer.token()))).status).toBe(401)
      expect((await ask(url, bearer(await other.token()))).status).toBe(200)
      await writeFile(file, '{')
      while (events.length < 1) await sleep(5)
      await writeFile(file, JSON.stringify({ keys: [issuer.jwk] }))
      while (events.length < 2) await sleep(5)
      expect(events.map(({ kind }) => kind)).toEqual(['auth_refused', 'auth_reloaded'])
      expect((await ask(url, bearer(await issuer.token()))).status).toBe(200)
    })
    await other.close()
  })
})

describe('client certificates', () => {
  let authority: Authority
  let own: Certificate
  beforeAll(async () => {
    authority = await Authority.make()
    own = await authority.server()
  })
  afterAll(() => authority.remove())

  async function askWith(
    url: string,
    shown: Certificate | undefined,
    token?: string,
    looking?: string,
  ): Promise<number> {
    const ca = await readFile(authority.cert)
    const pair = shown && { cert: await readFile(shown.cert), key: await readFile(shown.key) }
    const headers = { 'Content-Type': 'application/json', ...(token ? bearer(token) : {}) }
    return await new Promise((resolve, reject) => {
      const method = looking === undefined ? 'POST' : 'GET'
      const options = { method, agent: false, ca, headers, ...pair } as const
      const asked = request(url + (looking ?? EVALUATION), options, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
      })
      asked.on('error', reject)
      asked.end(looking === undefined ? TEXT : undefined)
    })
  }

  test('make the peer that they name; one that nobody stands behind does not', async () => {
    const id = 'spiffe://cluster.example/ns/prod/sa/api'
    const good = await authority.issue({ altNames: `URI:${id}` })
    const several = await authority.issue({ altNames: 'DNS:a.example,DNS:b.example' })
    const foreign = await Authority.make()
    const forgedOne = await foreign.issue({ altNames: `URI:${id}` })
    const tls = { ...own, clientCa: authority.cert, requireClientCert: false }
    await served({ tls, auth: [{ kind: 'mtls' }, { kind: 'none' }] }, async ({ url }, kernel) => {
      expect(await askWith(url, good)).toBe(200)
      expect(await askWith(url, forgedOne)).toBe(401)
      expect(await askWith(url, several)).toBe(401)
      expect(await askWith(url, undefined)).toBe(200)
      // Past the lane of the POST endpoints, the connection is known as well.
      expect(await askWith(url, good, undefined, '/assay/v1/receipts/x')).toBe(404)
      expect(await askWith(url, several, undefined, '/assay/v1/receipts/x')).toBe(401)
      expect(peers(kernel)).toEqual([
        { kind: 'spiffe', id },
        { kind: 'anonymous', id: 'anonymous' },
      ])
      expect(kernel.refusals).toEqual(Array(3).fill('http invalid_certificate'))
    })
    await foreign.remove()
  })

  test('end with their validity, also on a connection that began before', async () => {
    const good = await authority.issue({ altNames: 'DNS:api.example' })
    const tls = { ...own, clientCa: authority.cert }
    let ahead = 0
    const clock = { ...systemClock, now: () => systemClock.now() + ahead }
    await served({ tls, auth: { kind: 'mtls' }, clock }, async ({ url }, kernel) => {
      expect(await askWith(url, good)).toBe(200)
      ahead = 100 * 365 * 86_400_000
      expect(await askWith(url, good)).toBe(401)
      expect(kernel.refusals).toEqual(['http invalid_certificate'])
    })
  })

  test('need a clock', async () => {
    const opened = Authenticator.open({ kind: 'mtls' })
    await expect(opened).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test('count less than a token, which never falls back on them', async () => {
    const good = await authority.issue({ altNames: 'DNS:API.example' })
    const tls = { ...own, clientCa: authority.cert, requireClientCert: false }
    const auth: AuthOption = [
      known as Exclude<AuthOption, string | readonly unknown[]>,
      { kind: 'mtls', ids: ['dns:api.example'] },
    ]
    await served({ tls, auth }, async ({ url }, kernel) => {
      expect(await askWith(url, good)).toBe(200)
      expect(await askWith(url, good, SECRET)).toBe(200)
      expect(await askWith(url, good, `${SECRET}x`)).toBe(401)
      expect(await askWith(url, undefined)).toBe(401)
      expect(await askWith(url, await authority.issue({ altNames: 'DNS:b.example' }))).toBe(401)
      expect(peers(kernel)).toEqual([{ kind: 'x509', id: 'dns:api.example' }, SERVICE])
    })
  })

  test('name one peer or none', () => {
    const of = (subjectAltName: string | undefined, subject = 'O=Example\nCN=client'): unknown =>
      peerOf({ subject, subjectAltName })
    const x509 = (id: string): object => ({ kind: 'x509', id })
    expect(of('URI:spiffe://a.b/c')).toEqual({ kind: 'spiffe', id: 'spiffe://a.b/c' })
    expect(of('URI:spiffe://a.b/c, DNS:x.example, DNS:y.example')).toEqual({
      kind: 'spiffe',
      id: 'spiffe://a.b/c',
    })
    expect(of('URI:https://a.b/c, DNS:x.example')).toEqual(x509('uri:https://a.b/c'))
    expect(of('DNS:X.example, IP Address:127.0.0.1')).toEqual(x509('dns:x.example'))
    expect(of(undefined)).toEqual(x509('dn:O=Example, CN=client'))
    expect(of('IP Address:127.0.0.1')).toEqual(x509('dn:O=Example, CN=client'))
    for (const names of [
      'URI:spiffe://a.b/c, URI:spiffe://a.b/d',
      'URI:spiffe://a.b/c, URI:https://x',
      'URI:spiffe://A.b/c',
      'URI:SPIFFE://a.b/c',
      'URI:spiffe://a.b',
      'URI:spiffe://a.b/../c?',
      'DNS:a, DNS:b',
      'DNS:"a.example, URI:spiffe://a.b/c"',
      'nothing',
    ])
      expect([names, of(names)]).toEqual([names, undefined])
    expect(of(undefined, '')).toBeUndefined()
    expect(of(undefined, `CN=${'a'.repeat(300)}`)).toBeUndefined()
  })

  test('give a SPIFFE id only for exactly that name, whatever else stands in them', () => {
    const name = fc.oneof(
      fc.constantFrom('URI:spiffe://a.b/c', 'DNS:a', 'URI:x', 'email:a@b', 'IP Address:::1'),
      fc.string().map((text) => `DNS:${text}`),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), (names) => {
        const text = names.join(', ')
        const peer = peerOf({ subject: 'CN=x', subjectAltName: text })
        if (peer?.kind !== 'spiffe') return true
        const uris = text.split(', ').filter((part) => part.startsWith('URI:'))
        return uris.length === 1 && uris[0] === `URI:${peer.id}`
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the app on another platform', () => {
  test('asks for tokens too, and knows of no connection', async () => {
    const auth = await Authenticator.open([known, { kind: 'mtls' }].flat() as AuthOption, {
      clock: systemClock,
    })
    const kernel = new FakeKernel()
    const app = createApp(kernel, { publicUrl: 'https://pdp.example.com', auth })
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await app.request(EVALUATION, posted(TEXT, headers))).status
    expect(await status({})).toBe(401)
    expect(await status({ ...bearer(SECRET), 'X-Client-Cert': 'MIIB' })).toBe(200)
    expect(await status({ Authorization: `Bearer ${SECRET}, Bearer ${SECRET}` })).toBe(401)
    expect(peers(kernel)).toEqual([SERVICE])
    auth.close()
  })
})

describe('what is refused before anything listens', () => {
  const token = { sha256: sha256Hex(SECRET), peer: SERVICE }
  const cases: readonly [name: string, options: () => HttpOptions][] = [
    ['no method', () => ({ auth: [] })],
    ['no token', () => ({ auth: { kind: 'bearer', tokens: [] } })],
    [
      'a digest that is none',
      () => ({ auth: { kind: 'bearer', tokens: [{ ...token, sha256: 'ab' }] } }),
    ],
    [
      'one token for two peers',
      () => ({
        auth: { kind: 'bearer', tokens: [token, { ...token, peer: { kind: 'service', id: 'b' } }] },
      }),
    ],
    [
      'a token file that is not there',
      () => ({ auth: { kind: 'bearer', tokens: [{ file: '/nowhere', peer: SERVICE }] } }),
    ],
    [
      'a peer that only the process can be',
      () => ({
        auth: { kind: 'bearer', tokens: [{ ...token, peer: { kind: 'embedded', id: 'x' } }] },
      }),
    ],
    ['an issuer of operators', () => ({ auth: jwt({ peer: { kind: 'operator' } }) })],
    ['an issuer of certificates', () => ({ auth: jwt({ peer: { kind: 'spiffe' } }) })],
    ['a secret as an algorithm', () => ({ auth: jwt({ algorithms: ['HS256' as 'ES256'] }) })],
    ['an algorithm that is none', () => ({ auth: jwt({ algorithms: ['none' as 'ES256'] }) })],
    ['keys from anywhere', () => ({ auth: jwt({ jwks: { url: 'http://keys.example/' } }) })],
    ['a clock that is far off', () => ({ auth: jwt({ clockSkewSeconds: 3600 }) })],
    ['nobody that a token is for', () => ({ auth: jwt({ audience: [] }) })],
    ['two issuers whose peers would meet', () => ({ auth: [jwt(), jwt({ issuer: 'https://b' })] })],
    ['the same issuer twice', () => ({ auth: [jwt(), jwt({ peer: { kind: 'b' } })] })],
    ['certificates without TLS', () => ({ auth: { kind: 'mtls' } })],
    [
      'a realm that is not there',
      () => ({ auth: { kind: 'bearer', tokens: [{ ...token, realm: 'a' }] } }),
    ],
    ['tokens in clear text beyond this machine', () => ({ auth: known, host: '0.0.0.0' })],
    [
      'nobody in particular beyond this machine',
      () => ({ auth: [{ kind: 'none' }, jwt()], host: '0.0.0.0', allowPlainHttp: true }),
    ],
  ]
  test.each(cases)('%s', async (_, options) => {
    expect(await refusal(serveHttp(new FakeKernel(), options()))).toBe('invalid_options')
  })

  test('but tokens in clear text are served where that is meant', async () => {
    await served({ auth: known, host: '0.0.0.0', allowPlainHttp: true }, async ({ port }) => {
      const url = `http://127.0.0.1:${port}`
      expect((await ask(url)).status).toBe(401)
      expect((await ask(url, bearer(SECRET))).status).toBe(200)
    })
  })
})
