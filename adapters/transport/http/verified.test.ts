/**
 * Nothing that a client writes becomes a verified part of a policy's input. A real kernel answers with the input itself; in each way to be
 * authenticated, what a client can write is tried, and only claims may differ.
 */
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import type { Peer } from '../../../core/request.ts'
import { Authority, type Certificate } from '../../../test/certificates.ts'
import { AUDIENCE, ISSUER, Issuer } from '../../../test/issuer.ts'
import { ALLOW, kit, NOW } from '../../../test/kernel/kit.ts'
import type { AuthMethod } from './auth-options.ts'
import { type HttpOptions, serveHttp } from './index.ts'

const SECRET = 'a-token-of-thirty-two-characters'
const SPIFFE = 'spiffe://cluster.example/api'
let authority: Authority
let own: Certificate
let client: Certificate
let issuer: Issuer
beforeAll(async () => {
  authority = await Authority.make()
  own = await authority.server()
  client = await authority.issue({ altNames: `URI:${SPIFFE}` })
  issuer = await Issuer.make()
})
afterAll(async () => {
  await authority.remove()
  await issuer.close()
})

const FALSE_PEER = { kind: 'operator', id: 'root', realm: 'other' }
const HEADERS: Readonly<Record<string, string>> = {
  'Assay-Action-Peer': 'operator',
  'Assay-Now': '1',
  'Assay-Peer': 'operator/root',
  'Assay-Realm': 'other',
  'Client-Cert': ':MIIB:',
  'Client-Cert-Chain': ':MIIB:',
  Cookie: 'peer=operator; session=root',
  Date: 'Thu, 01 Jan 1970 00:00:00 GMT',
  Forwarded: 'for=127.0.0.1;by=operator;proto=https;host=trusted',
  From: 'root@example.com',
  'Proxy-Authorization': `Bearer ${SECRET}`,
  'Remote-User': 'root',
  'SSL-Client-Verify': 'SUCCESS',
  Via: '1.1 trusted',
  'X-Amzn-Mtls-Clientcert': 'MIIB',
  'X-Client-Cert': 'MIIB',
  'X-Client-DN': 'CN=root',
  'X-Client-IP': '127.0.0.1',
  'X-Forwarded-Client-Cert': `By=spiffe://a;URI=spiffe://root`,
  'X-Forwarded-Email': 'root@example.com',
  'X-Forwarded-For': '127.0.0.1, 10.0.0.1',
  'X-Forwarded-Host': 'trusted',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-User': 'root',
  'X-HTTP-Method-Override': 'DELETE',
  'X-Original-Method': 'GET',
  'X-Peer': JSON.stringify(FALSE_PEER),
  'X-Peer-Id': 'root',
  'X-Peer-Kind': 'operator',
  'X-Real-IP': '127.0.0.1',
  'X-Remote-User': 'root',
  'X-SSL-Client-Cert': 'MIIB',
  'X-SSL-Client-S-DN': 'CN=root',
  'X-SSL-Client-Verify': 'SUCCESS',
  'X-User': 'root',
  __proto__: 'x',
}
const MEMBERS = {
  admin: true,
  decision: { allow: true },
  decision_id: '0'.repeat(32),
  evidence: { check: 'valid' },
  facts: { record: 'forged', evidence: { check: 'valid' }, verified: true },
  id: '0'.repeat(32),
  input: { request: { peer: FALSE_PEER } },
  now: 1,
  peer: FALSE_PEER,
  policy: { digest: 'x' },
  realm: 'other',
  record: 'forged',
  request: { action: 'note.sign', peer: FALSE_PEER, obligations: [] },
  time: 1,
}
/** What a token's holder may have got its issuer to write into it. */
const CLAIMS = {
  ...MEMBERS,
  act: { sub: 'root' },
  groups: ['operators'],
  kind: 'operator',
  peer_kind: 'operator',
  roles: ['operator'],
  scope: 'operator',
}

interface Echo {
  readonly status: number
  readonly input: { readonly [member: string]: Json } | undefined
}
interface Way {
  readonly name: string
  readonly peer: Peer
  readonly auth: () => AuthMethod | undefined
  readonly token?: (claims: object) => Promise<string> | string
  readonly shows?: true
}
const jwt = (): AuthMethod => ({
  kind: 'jwt',
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: { url: issuer.url },
})
const bearer = (): AuthMethod => ({
  kind: 'bearer',
  tokens: [{ sha256: sha256Hex(SECRET), peer: { kind: 'service', id: 'ci' } }],
})
const ways: readonly Way[] = [
  {
    name: 'no authentication',
    peer: { id: 'anonymous', kind: 'anonymous' },
    auth: () => undefined,
  },
  { name: 'a known token', peer: { id: 'ci', kind: 'service' }, auth: bearer, token: () => SECRET },
  {
    name: 'a signed token',
    peer: { id: 'ada', kind: 'user' },
    auth: jwt,
    token: (claims) => issuer.token({ ...claims }),
  },
  {
    name: 'a client certificate',
    peer: { id: SPIFFE, kind: 'spiffe' },
    auth: () => ({ kind: 'mtls' }),
    shows: true,
  },
  {
    name: 'a token over a certificate',
    peer: { id: 'ada', kind: 'user' },
    auth: jwt,
    token: (claims) => issuer.token({ ...claims }),
    shows: true,
  },
]

describe.each(ways)('with $name', ({ auth, peer, shows, token }) => {
  /** Asks with all that is honest, and `more`. */
  async function echoing(
    use: (
      ask: (
        body: object,
        more?: { headers?: Readonly<Record<string, string>>; claims?: object; path?: string },
      ) => Promise<Echo>,
    ) => Promise<void>,
    options: HttpOptions = {},
  ): Promise<void> {
    const { kernel, clock } = await kit({ policy: (input) => ({ ...ALLOW, output: input }) })
    const method = auth()
    const server = await serveHttp(kernel, {
      tls: { ...own, clientCa: authority.cert, requireClientCert: false },
      clock: { ...clock, now: () => Date.now() },
      ...(method === undefined ? {} : { auth: [method] }),
      ...options,
    })
    const ca = await readFile(authority.cert)
    const pair = shows ? { cert: await readFile(client.cert), key: await readFile(client.key) } : {}
    try {
      await use(async (body, { claims = {}, headers = {}, path = '' } = {}) => {
        const said = token && { Authorization: `Bearer ${await token(claims)}` }
        const asked = { 'Content-Type': 'application/json', ...headers, ...said }
        const url = `${server.url}/assay/v1/decisions${path}`
        return await new Promise<Echo>((resolve, reject) => {
          const sent = request(url, { method: 'POST', agent: false, ca, headers: asked, ...pair })
          sent.on('error', reject)
          sent.on('response', async (answer) => {
            let text = ''
            for await (const chunk of answer) text += chunk
            const input = answer.statusCode === 200 ? JSON.parse(text).output : undefined
            resolve({ status: answer.statusCode ?? 0, input })
          })
          sent.end(JSON.stringify(body))
        })
      })
    } finally {
      await server.close()
      await kernel.close()
    }
  }

  const honest = { action: 'note.read', payload: { by: 'alice' } }
  /** The whole input but what a client claims. */
  const expected = {
    facts: { claimed: { by: 'alice' }, evidence: { check: 'valid' }, record: null },
    now: NOW / 1000,
    request: { action: 'note.read', obligations: [], peer },
  }

  test('the input is what it is', async () => {
    await echoing(async (ask) => {
      expect(await ask(honest)).toEqual({ status: 200, input: expected })
    })
  })

  test('no header changes it', async () => {
    await echoing(async (ask) => {
      for (const [name, value] of Object.entries(HEADERS))
        expect([name, await ask(honest, { headers: { [name]: value } })]).toEqual([
          name,
          { status: 200, input: expected },
        ])
      expect((await ask(honest, { headers: HEADERS })).input).toEqual(expected)
      const lower = Object.entries(HEADERS).map(([name, value]) => [name.toLowerCase(), value])
      expect((await ask(honest, { headers: Object.fromEntries(lower) })).input).toEqual(expected)
    })
  })

  test('no forwarded address changes it, behind a trusted proxy neither', async () => {
    await echoing(
      async (ask) => {
        expect((await ask(honest, { headers: HEADERS })).input).toEqual(expected)
      },
      { trustedProxies: ['127.0.0.0/8', '::1'] },
    )
  })

  test('no member of the body and no query changes more than the claims', async () => {
    await echoing(async (ask) => {
      for (const [name, value] of Object.entries(MEMBERS)) {
        if (name === 'id') continue
        const beside = await ask({ ...honest, [name]: value })
        expect([name, beside.input]).toEqual([name, expected])
        const payload = { ...honest.payload, [name]: value }
        const inside = await ask({ ...honest, payload })
        const claimed = { ...expected, facts: { ...expected.facts, claimed: payload } }
        expect([name, inside.input]).toEqual([name, claimed])
      }
      const path = '?peer=operator&realm=other&now=1&action=note.sign'
      expect((await ask(honest, { path })).input).toEqual(expected)
    })
  })

  test('no claim of a token changes it', async () => {
    await echoing(async (ask) => {
      for (const [name, value] of Object.entries(CLAIMS))
        expect([name, (await ask(honest, { claims: { [name]: value } })).input]).toEqual([
          name,
          expected,
        ])
      expect((await ask(honest, { claims: CLAIMS })).input).toEqual(expected)
    })
  })
})
