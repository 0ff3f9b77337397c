/** Documents that are pushed into a running server: authorised, logged, in force at once, there after a restart, and provable later. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { folderOf, OPEN_POLICIES, type Running, serveAssay } from '../opa.ts'
import { assay } from '../server.ts'
import { root } from '../source.ts'

const RULES = (limit: number): string => `package app

# METADATA
# entrypoint: true
allow if data.levels[input.user] >= ${limit}
`
let place: Awaited<ReturnType<typeof folderOf>>
let server: Running
let url = ''
const data = (): string => join(place.dir, 'data')
const start = async (): Promise<void> => {
  server = await serveAssay({ dir: join(place.dir, 'opa') }, { data: data() })
  url = server.url
}
beforeAll(async () => {
  place = await folderOf({ 'opa/app.rego': RULES(2), 'opa/data.json': '{"levels":{"ann":1}}' })
  await start()
}, 120_000)
afterAll(async () => {
  await server?.stop()
  await place?.remove()
})

const call = (path: string, method = 'GET', body?: unknown): Promise<Response> =>
  fetch(url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
const allow = async (user: string): Promise<unknown> =>
  (
    (await (await call('/v1/data/app/allow', 'POST', { input: { user } })).json()) as {
      result?: unknown
    }
  ).result
const revision = async (): Promise<string> =>
  ((await (await call('/health/ready')).json()) as { policy: { revision: string } }).policy.revision

test('a pushed document is in force when the push is answered', async () => {
  const before = await revision()
  expect(await allow('ann')).toBeUndefined()
  const answer = await call('/v1/data/levels/ann', 'PUT', 3)
  expect(answer.status).toBe(204)
  expect(answer.headers.get('x-decision-id')).toMatch(/^[0-9a-f]{32}$/)
  expect(await allow('ann')).toBe(true)
  expect(await revision()).not.toBe(before)
})

test('pushes at the same time are all in force', async () => {
  const users = Array.from({ length: 12 }, (_, i) => `user${i}`)
  const answers = await Promise.all(users.map((user) => call(`/v1/data/levels/${user}`, 'PUT', 5)))
  expect(answers.map(({ status }) => status)).toEqual(users.map(() => 204))
  expect(await Promise.all(users.map(allow))).toEqual(users.map(() => true))
}, 60_000)

test('an escaped letter names the same endpoint and the same document', async () => {
  expect((await call('/v1/d%61ta/levels/esc%61ped', 'PUT', 4)).status).toBe(204)
  expect(await allow('escaped')).toBe(true)
  const there = (await (await call('/v1/d%61ta/levels/escaped')).json()) as { result?: unknown }
  expect(there.result).toBe(4)
  const listed = await call('/v1/p%6flicies/app.rego')
  expect(listed.status).toBe(200)
})

test('no answer is kept by a cache', async () => {
  const answers = await Promise.all([
    call('/v1/data/app/allow'),
    call('/v0/data/levels/ann', 'POST'),
    call('/v1/data/levels/ann', 'PUT', 3),
    call('/v1/policies'),
    call('/v1/config'),
    call('/v1/data/app/allow', 'POST', []),
  ])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 200, 200, 400])
  for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store')
})

test('a changed policy keeps what was pushed', async () => {
  await writeFile(join(place.dir, 'opa/app.rego'), RULES(4))
  await vi.waitFor(async () => expect(await allow('ann')).toBeUndefined(), {
    timeout: 30_000,
    interval: 200,
  })
  expect(await allow('user3')).toBe(true)
  await writeFile(join(place.dir, 'opa/app.rego'), RULES(2))
  await vi.waitFor(async () => expect(await allow('ann')).toBe(true), {
    timeout: 30_000,
    interval: 200,
  })
}, 90_000)

test('it is there after a restart, and the revision is the same', async () => {
  const before = await revision()
  await server.stop()
  await start()
  expect(await revision()).toBe(before)
  expect(await allow('ann')).toBe(true)
  const levels = (await (await call('/v1/data/levels')).json()) as { result: object }
  expect(Object.keys(levels.result)).toContain('user11')
}, 120_000)

test('another door pushes too: the document becomes active by itself', async () => {
  const payload = { path: ['levels', 'zoe'], value: 9 }
  const answer = await fetch(`${url}/assay/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'opa.put-data', payload }),
  })
  expect(await answer.json()).toMatchObject({ allow: true })
  await vi.waitFor(async () => expect(await allow('zoe')).toBe(true), { timeout: 20_000 })
}, 60_000)

test('documents of several megabytes are served; what does not fit into one decision is refused', async () => {
  const rows = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`user${i}`, { n: i }]))
  const levels = { ann: 5 }
  const large = await folderOf({
    'opa/app.rego': RULES(2),
    'opa/data.json': JSON.stringify({ levels, rows }),
  })
  const own = await serveAssay({ dir: join(large.dir, 'opa') })
  try {
    const get = (path: string): Promise<Response> => fetch(`${own.url}/v1/data/${path}`)
    expect(await (await get('rows/user7')).json()).toMatchObject({ result: { n: 7 } })
    const whole = await get('rows')
    expect([whole.status, await whole.json()]).toMatchObject([413, { code: 'invalid_parameter' }])
  } finally {
    await own.stop()
    await large.remove()
  }
}, 120_000)

describe('evidence', () => {
  test('a query verifies, and is decided the same again over the documents of its time', async () => {
    const documents = await (await call('/v1/data')).text()
    const asked = await call('/v1/data/app/allow', 'POST', { input: { user: 'ann' } })
    const id = asked.headers.get('x-decision-id') ?? ''
    const pushed = (await call('/v1/data/levels/ann', 'PUT', 0)).headers.get('x-decision-id') ?? ''
    await server.stop()
    const made = await folderOf({ 'documents.json': documents })
    const config = {
      opa: { dir: join(place.dir, 'opa') },
      policies: OPEN_POLICIES,
      plugins: ['audit'],
    }
    const file = join(made.dir, 'assay.json')
    await writeFile(file, JSON.stringify(config))
    await cp(join(data(), 'trust.json'), join(made.dir, 'trust.json'))
    const receipt = async (of: string): Promise<string> => {
      const { code, output } = await assay('receipt', of, '--data', data(), '--config', file)
      expect(code, output).toBe(0)
      await writeFile(join(made.dir, `${of}.json`), output)
      return join(made.dir, `${of}.json`)
    }
    const trust = ['--trust', join(made.dir, 'trust.json')]
    const again = ['--policies', OPEN_POLICIES, '--config', file]
    const verify = async (...args: string[]) => assay('verify', ...args)
    const good = await verify(
      await receipt(id),
      ...trust,
      ...again,
      '--documents',
      join(made.dir, 'documents.json'),
    )
    expect(good.output).toContain('ok   again')
    expect(good.code, good.output).toBe(0)
    const without = await verify(await receipt(id), ...trust, ...again)
    expect(without.output).toContain('FAIL revision')
    expect(without.code).toBe(1)
    const push = await verify(await receipt(pushed), ...trust)
    expect(push.code, push.output).toBe(0)
    expect(push.output).toContain('opa.put-data was allowed')
    await made.remove()
    await start()
  }, 180_000)
})

describe('without being allowed to', () => {
  test('an anonymous peer pushes nothing under the package’s own rules', async () => {
    const write = await readFile(join(root, 'policies/opa/write.rego'), 'utf8')
    const own = await folderOf({})
    await cp(join(root, 'examples/opa-migration/policies'), join(own.dir, 'policies'), {
      recursive: true,
    })
    await writeFile(join(own.dir, 'policies/opa/write.rego'), write)
    const closed = await serveAssay(
      { dir: join(place.dir, 'opa') },
      { data: join(own.dir, 'data'), policies: join(own.dir, 'policies') },
    )
    try {
      const answer = await fetch(`${closed.url}/v1/data/levels/ann`, { method: 'PUT', body: '9' })
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ code: 'unauthorized' })
      const levels = await (await fetch(`${closed.url}/v1/data/levels`)).json()
      expect(levels).toMatchObject({ result: { ann: 1 } })
    } finally {
      await closed.stop()
      await own.remove()
    }
  }, 120_000)

  test('nobody changes what belongs to Assay or to rules', async () => {
    for (const path of ['freeze', 'assay/main/deny', 'app/allow'])
      expect((await call(`/v1/data/${path}`, 'PUT', {})).status, path).toBe(400)
    expect(await (await call('/v1/data/freeze')).json()).not.toHaveProperty('result')
  })
})
