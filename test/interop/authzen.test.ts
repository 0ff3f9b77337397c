/**
 * AuthZEN 1.0 from outside, against `bin/assay serve` with the example's configuration: every certification and interoperability request of
 * the shared fixtures, over HTTP and over TLS; pages that are really cut short; and somebody else's client.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Authority } from '../certificates.ts'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { Server } from '../server.ts'
import { root } from '../source.ts'
import { authzenRust } from '../tools.ts'

const example = join(root, 'examples', 'authzen')
let authority: Authority
let folder: string
let plain: Server
let secure: Server
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-authzen-'))
  authority = await Authority.make()
  const { cert, key } = await authority.server()
  const config = join(folder, 'assay.json')
  const [policies, state] = [join(example, 'policies'), join(example, 'state.json')]
  writeFileSync(config, JSON.stringify({ policies, state, http: { tls: { cert, key } } }))
  plain = new Server({ data: join(folder, 'plain'), config: join(example, 'assay.yaml') })
  secure = new Server({ data: join(folder, 'secure'), config })
  await Promise.all([plain.ready, secure.ready])
}, 120_000)
afterAll(async () => {
  await Promise.all([plain?.stop(), secure?.stop()])
  await authority?.remove()
  rmSync(folder, { recursive: true, force: true })
})

interface Run {
  readonly failures: readonly string[]
  readonly tally: Readonly<Record<string, { pass: number; fail: number }>>
}

/** What the runner prints: a line for each failure, and a tally as the last one. */
function runCases(runner: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 24 }
  return new Promise((resolve) => {
    execFile(process.execPath, [runner, ...args], options, (_error, stdout) => {
      const lines = stdout.trim().split('\n')
      const tally = JSON.parse(lines.pop() ?? '') as Run['tally']
      resolve({ failures: lines.filter((line) => line.startsWith('FAIL ')), tally })
    })
  })
}

const all = (pass: number) => ({ pass, fail: 0 })
/** 332 of 332. */
const EVERYTHING = {
  cert: all(60),
  todo: all(43),
  gateway: all(25),
  search: all(198),
  idp: all(6),
}

describe('every case of every suite passes', { timeout: 120_000 }, () => {
  test('over HTTP', async (context) => {
    const runner = fixture('authzen', 'run.mjs')
    if (runner === undefined) return context.skip(FIXTURES_ABSENT)
    const url = await plain.ready
    const { failures, tally } = await runCases(
      runner,
      [url, '--allow-http-metadata', '--strict'],
      {},
    )
    console.log('AuthZEN over HTTP', JSON.stringify(tally))
    expect(failures).toEqual([])
    expect(tally).toEqual(EVERYTHING)
  })

  test('over TLS, with metadata that says so', async (context) => {
    const runner = fixture('authzen', 'run.mjs')
    if (runner === undefined) return context.skip(FIXTURES_ABSENT)
    const url = await secure.ready
    expect(url).toMatch(/^https:/)
    const { failures, tally } = await runCases(runner, [url, '--strict'], {
      NODE_EXTRA_CA_CERTS: authority.cert,
    })
    console.log('AuthZEN over TLS', JSON.stringify(tally))
    expect(failures).toEqual([])
    expect(tally).toEqual(EVERYTHING)
  })
})

type Entity = Readonly<Record<string, string>>
interface Found {
  readonly page?: { readonly next_token: string; readonly count: number }
  readonly results: readonly Entity[]
}
async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch((await plain.ready) + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}
async function find(kind: string, body: object): Promise<Found> {
  const { status, text } = await post(`/access/v1/search/${kind}`, body)
  expect([status, text]).toEqual([200, expect.stringContaining('"results"')])
  return JSON.parse(text) as Found
}

const alice = { type: 'user', id: 'alice' }
const record1 = { type: 'record', id: 'record-1' }
const manager = { type: 'user', id: 'alice' }
const QUERIES = [
  ['subject', { subject: { type: 'user' }, action: { name: 'read' }, resource: record1 }],
  [
    'subject',
    {
      subject: { type: 'user' },
      action: { name: 'view' },
      resource: { type: 'record', id: '101' },
    },
  ],
  ['resource', { subject: manager, action: { name: 'view' }, resource: { type: 'record' } }],
  ['action', { subject: alice, resource: record1 }],
] as const

describe('pages', () => {
  test.each(QUERIES)('of a search for a %s are cut short: %j', async (kind, query) => {
    const { page, results } = await find(kind, query)
    expect(page).toBeUndefined()
    expect(results.length).toBeGreaterThan(1)
    for (const limit of [1, 2, results.length, results.length + 1]) {
      const walked: Entity[] = []
      let at: { limit: number; token?: string } = { limit }
      for (;;) {
        const found = await find(kind, { ...query, page: at })
        walked.push(...found.results)
        expect(found.page?.count).toBe(found.results.length)
        const token = found.page?.next_token ?? ''
        // A page that is not the last one is full, and the last one is not followed by an empty one.
        if (token !== '') expect(found.results.length).toBe(limit)
        expect(found.results.length).toBeGreaterThan(0)
        if (token === '') break
        at = { limit, token }
      }
      expect(walked).toEqual(results)
    }
  })

  test('go on for the same search only', async () => {
    const [kind, query] = QUERIES[0]
    const first = await find(kind, { ...query, page: { limit: 1 } })
    const token = first.page?.next_token ?? ''
    expect(token).not.toBe('')
    const again = await find(kind, { ...query, page: { limit: 1, token } })
    expect(await find(kind, { ...query, page: { token } })).toEqual(again)
    for (const [other, body] of [
      [kind, { ...query, page: { limit: 2, token } }],
      [kind, { ...query, action: { name: 'write' }, page: { token } }],
      [kind, { ...query, context: { ip: '10.0.0.1' }, page: { token } }],
      [kind, { ...query, page: { token: `${token.slice(0, -2)}xx` } }],
      ['resource', { ...QUERIES[2][1], page: { token } }],
    ] as const) {
      const { status, text } = await post(`/access/v1/search/${other}`, body)
      expect([status, text]).toEqual([400, expect.stringMatching(/^invalid_page_token: /)])
    }
  })
})

test('results are what evaluations allow, and nothing else', async () => {
  for (const [kind, query] of QUERIES) {
    const { results } = await find(kind, query)
    for (const entity of results) {
      const members = kind === 'action' ? ['name'] : ['type', 'id']
      expect(Object.keys(entity)).toEqual(members)
      const { text } = await post('/access/v1/evaluation', { ...query, [kind]: entity })
      expect(text).toBe('{"decision":true}')
    }
  }
})

test("somebody else's client, in Rust, finds its way", { timeout: 300_000 }, async () => {
  const program = await authzenRust()
  const url = await secure.ready
  const env = { ...process.env, CURL_CA_BUNDLE: authority.cert }
  const { stdout } = await promisify(execFile)(program, [url], { env })
  const told = JSON.parse(stdout)
  console.log('openidauthzen', stdout.trim())
  const { results } = await find('subject', QUERIES[0][1])
  const found = await find('resource', {
    ...QUERIES[0][1],
    subject: alice,
    resource: { type: 'record' },
  })
  expect(told).toEqual({
    pdp: url,
    decisions: [true, false],
    batch: [true, false, true],
    subjects: results.map(({ id }) => id),
    pages: results.length,
    resources: found.results.map(({ id }) => id),
    actions: ['read', 'write'],
  })
})
