/** Realms of one server, tried against each other: real stores, keys, policies and sockets. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { remoteLog } from '../cli/remote.ts'
import { sha256Hex } from '../core/crypto.ts'
import { fsck } from '../core/log/fsck.ts'
import { Place } from '../test/composed.ts'
import { refusal } from '../test/conformance/laws.ts'
import { posted } from '../test/http-lanes.ts'
import { type ComposedRealms, composeRealms } from './compose-realms.ts'
import { EXAMPLE_STATE } from './config/complete.ts'
import { loadConfig } from './config/load.ts'
import { type HttpServer, serveHttp } from './transport/http/index.ts'

const token = (realm: string): string => `${realm}-token-of-many-characters`
/** The same peer in each: what keeps them apart is the realm alone. */
const SAME = { kind: 'service', id: 'same' }
const TUPLE = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}

let place: Place
let composed: ComposedRealms
let server: HttpServer
beforeAll(async () => {
  place = await Place.make()
  composed = await composeRealms(await configuration())
  const { clock, kernel } = composed.own
  server = await serveHttp(kernel, {
    clock,
    auth: {
      kind: 'bearer',
      tokens: ['a', 'b'].map((realm) => ({ sha256: sha256Hex(token(realm)), peer: SAME, realm })),
    },
    realms: Object.fromEntries(composed.realms),
  })
}, 60_000)
afterAll(async () => {
  await server.close()
  await composed.close()
  await place.remove()
})

async function configuration(): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  const file = join(place.folder, 'assay.yaml')
  const realm = { state: EXAMPLE_STATE }
  const realms = {
    a: { ...realm, origin: 'a.example/log' },
    b: { ...realm, origin: 'b.example/log' },
  }
  await writeFile(file, JSON.stringify({ realms }))
  return loadConfig({ file, data: place.data })
}

interface Asked {
  /** Whose token. */
  readonly as: 'a' | 'b'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}
/** Of realm `at`, which is not always the caller's. */
const ask = (at: 'a' | 'b', path: string, { as, body, headers = {} }: Asked): Promise<Response> => {
  const said = { ...headers, Authorization: `Bearer ${token(as)}` }
  const init = body === undefined ? { headers: said } : posted(body, said)
  return fetch(`${server.url}/realms/${at}${path}`, init)
}
const evaluate = (at: 'a' | 'b', headers: Readonly<Record<string, string>> = {}) =>
  ask(at, '/access/v1/evaluation', { as: at, body: TUPLE, headers })

describe('one realm', () => {
  test('has its own log, keys and data folder', async () => {
    const [a, b] = ['a', 'b'].map((name) => composed.realms.get(name))
    const all = [composed.own, a, b]
    for (const of of [
      (one: typeof a) => one?.kernel.origin,
      (one: typeof a) => one?.anchorFile,
      (one: typeof a) => one?.anchor.keys[0]?.vkey,
    ])
      expect(new Set(all.map(of)).size).toBe(3)
    expect(a?.anchorFile).toBe(join(place.data, 'realms', 'a', 'trust.json'))
  })

  test("refuses the other's callers, whatever they ask", async () => {
    for (const [path, body] of [
      ['/access/v1/evaluation', TUPLE],
      ['/access/v1/evaluations', { evaluations: [TUPLE] }],
      ['/access/v1/search/resource', { ...TUPLE, resource: { type: 'checkpoint' } }],
      ['/assay/v1/check', TUPLE],
      ['/assay/v1/decisions', { action: 'access.evaluate', payload: TUPLE }],
      ['/assay/v1/audit/query', {}],
      [`/assay/v1/receipts/${'0'.repeat(32)}`, undefined],
    ] as const) {
      const answer = await ask('b', path, { as: 'a', body })
      expect([path, answer.status]).toEqual([path, 403])
      expect(await answer.text()).toMatch(/^wrong_realm: /)
    }
  })

  test("does not know the other's decisions", async () => {
    const decided = await evaluate('a')
    expect([decided.status, await decided.json()]).toEqual([200, { decision: true }])
    const path = `/assay/v1/receipts/${decided.headers.get('x-decision-id')}`
    expect((await ask('a', path, { as: 'a' })).status).toBe(200)
    expect((await ask('b', path, { as: 'b' })).status).toBe(404)
    expect((await ask('b', path, { as: 'a' })).status).toBe(403)
  })

  test("does not answer with the other's decision for the same key, peer and request", async () => {
    const key = { 'Idempotency-Key': 'the-same-key' }
    const idOf = async (at: 'a' | 'b'): Promise<string | null> =>
      (await evaluate(at, key)).headers.get('x-decision-id')
    const first = await idOf('a')
    expect(await idOf('a')).toBe(first)
    expect(await idOf('b')).not.toBe(first)
  })

  test("takes no page token of the other's search", async () => {
    const body = { ...TUPLE, action: { name: 'list' }, resource: { type: 'checkpoint' } }
    const search = (at: 'a' | 'b', page: object): Promise<Response> =>
      ask(at, '/access/v1/search/resource', { as: at, body: { ...body, page } })
    const first = await (await search('a', { limit: 1 })).json()
    expect(first.page.next_token).not.toBe('')
    const page = { limit: 1, token: first.page.next_token }
    expect((await search('a', page)).status).toBe(200)
    const crossed = await search('b', page)
    expect([crossed.status, await crossed.text()]).toEqual([
      400,
      expect.stringMatching(/^invalid_page_token: /),
    ])
  })

  test("has tiles that are valid under its own anchor, and not under the other's", async () => {
    await evaluate('a')
    await evaluate('b')
    const anchorOf = (name: string) => composed.realms.get(name)!.anchor
    const log = (name: string) => remoteLog(`${server.url}/realms/${name}/log`)
    expect((await fsck(log('a'), anchorOf('a'))).problems).toEqual([])
    expect((await fsck(log('b'), anchorOf('b'))).ok).toBe(true)
    expect((await fsck(log('a'), anchorOf('b'))).ok).toBe(false)
    const texts = await Promise.all(
      ['a', 'b'].map(async (at) =>
        (await fetch(`${server.url}/realms/${at}/log/checkpoint`)).text(),
      ),
    )
    expect(texts.map((text) => text.split('\n')[0])).toEqual(['a.example/log', 'b.example/log'])
  })

  test('goes on when the other one is broken', async () => {
    const kernel = composed.realms.get('b')!.kernel
    await kernel.close()
    expect((await evaluate('b')).status).toBe(503)
    expect((await fetch(`${server.url}/realms/b/health/ready`)).status).toBe(503)
    expect((await evaluate('a')).status).toBe(200)
    expect((await fetch(`${server.url}/realms/a/health/ready`)).status).toBe(200)
  })
})

describe('a configuration of realms', () => {
  const load = async (value: object): Promise<string | undefined> => {
    const file = join(place.folder, 'other.yaml')
    await writeFile(file, JSON.stringify(value))
    return refusal(loadConfig({ file, data: join(place.folder, 'other') }))
  }

  test.each<[name: string, value: object]>([
    ['two with one data folder', { realms: { a: { data: 'x' }, b: { data: 'x' } } }],
    ["the server's own data folder", { realms: { a: { data: 'other' } } }],
    [
      'two with one store',
      {
        realms: {
          a: { store: { kind: 'sqlite', path: 'x' } },
          b: { store: { kind: 'sqlite', path: 'x' } },
        },
      },
    ],
    [
      'two with one folder of keys',
      {
        realms: {
          a: { custody: { kind: 'file', dir: 'x' } },
          b: { custody: { kind: 'file', dir: 'x' } },
        },
      },
    ],
    ['two with one origin', { origin: 'a.example', realms: { a: { origin: 'a.example' } } }],
    ["somebody else's store for all", { store: { kind: 'their-store' }, realms: { a: {} } }],
    ['a name that is none', { realms: { 'A/b': {} } }],
    ['a realm within a realm', { realms: { a: { realms: {} } } }],
  ])('with %s is refused', async (_, value) => {
    expect(await load(value)).toBe('invalid_config')
  })

  test('takes over the policies and plugins of the server, and no place and no name', async () => {
    const file = join(place.folder, 'inherits.yaml')
    const text = {
      origin: 'own.example',
      state: 'state.json',
      plugins: ['access'],
      limits: { maxInFlight: 7 },
      store: { kind: 'sqlite', path: 'own.db' },
      http: { rateLimit: { perSource: { perSecond: 5 } } },
      realms: {
        a: {},
        b: { rateLimit: { perSource: { perSecond: 9 } }, plugins: ['access', 'audit'] },
      },
    }
    await writeFile(file, JSON.stringify(text))
    const data = join(place.folder, 'd')
    const { realms } = await loadConfig({ file, data })
    expect(realms.a).toMatchObject({
      data: join(data, 'realms', 'a'),
      limits: { maxInFlight: 7 },
      plugins: [{ name: 'access' }],
      store: { kind: 'sqlite', path: join(data, 'realms', 'a', 'assay.db') },
      http: { rateLimit: { perSource: { perSecond: 5 } } },
    })
    expect([realms.a?.origin, realms.a?.state]).toEqual([undefined, undefined])
    expect(realms.b?.http.rateLimit).toEqual({ perSource: { perSecond: 9 } })
    expect(realms.b?.plugins.length).toBe(2)
  })

  test('starts all of them or none', async () => {
    const file = join(place.folder, 'broken.yaml')
    const data = join(place.folder, 'broken')
    const broken = join(place.folder, 'no-such-policies')
    await writeFile(file, JSON.stringify({ realms: { a: {}, b: { policies: broken } } }))
    await expect(composeRealms(await loadConfig({ file, data }))).rejects.toThrow()
    // Nothing is locked, so it starts once what was wrong is mended.
    await writeFile(file, JSON.stringify({ realms: { a: {} } }))
    const mended = await composeRealms(await loadConfig({ file, data }))
    expect([...mended.realms.keys()]).toEqual(['a'])
    await mended.close()
    expect(await readFile(join(data, 'realms/a/trust.json'), 'utf8')).toContain('"origin"')
  })
})
