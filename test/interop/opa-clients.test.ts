/** Unmodified clients of OPA against the running server, over the bundle of the example. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OPAClient } from '@open-policy-agent/opa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { folderOf, type Running, serveAssay, serveOpa } from '../opa.ts'
import { root } from '../source.ts'
import { opaProgram, opaPython } from '../tools.ts'

const run = promisify(execFile)
const BUNDLE = join(root, 'examples/opa-migration/bundle')
const asked = (user: string, action: string) => ({ user, action, object: 'document' })

let server: Running
beforeAll(async () => {
  server = await serveAssay({ dir: BUNDLE })
}, 120_000)
afterAll(() => server?.stop())

describe('@open-policy-agent/opa', () => {
  const client = (): OPAClient => new OPAClient(server.url)

  test('evaluates with and without input', async () => {
    expect(await client().evaluate('app/rbac/allow', asked('alice', 'write'))).toBe(true)
    expect(await client().evaluate('app/rbac/allow', asked('bob', 'write'))).toBe(false)
    expect(await client().evaluate('app/rbac/allow')).toBe(false)
  })

  test('hands results over, also undefined ones, and inputs that convert themselves', async () => {
    const fromResult = (result: unknown): string => `got ${JSON.stringify(result)}`
    const input = { toInput: () => asked('eve', 'read') }
    expect(await client().evaluate('app/rbac/reasons', input, { fromResult })).toBe(
      'got ["eve is not known here"]',
    )
    expect(await client().evaluate('app/rbac/nothing', input, { fromResult })).toBe('got undefined')
  })

  test('evaluates the default policy, or is told that there is none', async () => {
    await expect(client().evaluateDefault({})).rejects.toMatchObject({
      code: 'undefined_document',
    })
  })

  test('evaluates batches, without falling back', async () => {
    const inputs = { first: asked('alice', 'write'), second: asked('bob', 'write') }
    expect(await client().evaluateBatch('app/rbac/allow', inputs)).toEqual({
      first: true,
      second: false,
    })
    const rejectMixed = { rejectMixed: true, fallback: true }
    expect(await client().evaluateBatch('app/rbac/allow', inputs, rejectMixed)).toEqual({
      first: true,
      second: false,
    })
  })

  test('repeats a batch under one key, and gets the same decisions', async () => {
    const inputs = { one: asked('alice', 'read'), two: asked('bob', 'read') }
    const ask = async (): Promise<unknown> => {
      const answer = await fetch(`${server.url}/v1/batch/data/app/rbac/allow`, {
        method: 'POST',
        headers: { 'idempotency-key': 'batch-1' },
        body: JSON.stringify({ common_input: { object: 'document' }, inputs }),
      })
      expect(answer.status).toBe(200)
      return answer.json()
    }
    expect(await ask()).toEqual(await ask())
  })

  test('is told what is wrong with a request', async () => {
    const call = client().evaluate('app/rbac/allow', {
      deep: JSON.parse('[['.repeat(20) + ']]'.repeat(20)),
    })
    await expect(call).rejects.toMatchObject({ code: 'invalid_parameter' })
  })

  test('sends its headers along', async () => {
    const tagged = new OPAClient(server.url, { headers: { 'x-request-id': 'r-1' } })
    expect(await tagged.evaluate('app/rbac/allow', asked('alice', 'read'))).toBe(true)
  })
})

describe('a batch of which some cannot be evaluated', () => {
  const conflicting =
    'package app\n\n# METADATA\n# entrypoint: true\nv := 1 if input.a\n\nv := 2 if input.b\n'

  test('says so for each, as the client reads it', async () => {
    const place = await folderOf({ 'policies/app.rego': conflicting })
    const own = await serveAssay({ dir: join(place.dir, 'policies') })
    try {
      const client = new OPAClient(own.url)
      const mixed = await client.evaluateBatch('app/v', { good: { a: 1 }, bad: { a: 1, b: 1 } })
      expect(mixed).toMatchObject({
        good: 1,
        bad: { code: 'internal_error', httpStatusCode: '500' },
      })
      const all = client.evaluateBatch('app/v', { bad: { a: 1, b: 1 } })
      await expect(all).rejects.toMatchObject({
        responses: { bad: { code: 'internal_error' } },
      })
      await expect(client.evaluate('app/v', { a: 1, b: 1 })).rejects.toMatchObject({
        code: 'internal_error',
      })
    } finally {
      await own.stop()
      await place.remove()
    }
  }, 120_000)
})

test('a packed bundle, as opa build writes it, serves the same; what it owns is not written', async () => {
  const place = await folderOf({})
  const bundle = join(place.dir, 'bundle.tar.gz')
  await run(await opaProgram(), ['build', '--bundle', BUNDLE, '--output', bundle])
  const own = await serveAssay({ bundle })
  try {
    const client = new OPAClient(own.url)
    expect(await client.evaluate('app/rbac/allow', asked('alice', 'write'))).toBe(true)
    expect(await client.evaluate('app/rbac/allow', asked('eve', 'write'))).toBe(false)
    const put = (path: string): Promise<Response> =>
      fetch(`${own.url}/v1/data/${path}`, { method: 'PUT', body: '{}' })
    expect((await put('users/eve')).status).toBe(400)
    expect(await (await put('users/eve')).json()).toMatchObject({ code: 'invalid_parameter' })
    expect((await put('blocks')).status).toBe(204)
  } finally {
    await own.stop()
    await place.remove()
  }
}, 120_000)

test('OPA-python-client: health, policies, queries and changes of data', async () => {
  const { port } = new URL(server.url)
  const script = join(import.meta.dirname, 'opa-clients.py')
  const { stdout } = await run(await opaPython(), [script, port])
  expect(JSON.parse(stdout)).toEqual({
    connection: true,
    health: true,
    ready: true,
    policies: ['app/rbac.rego'],
    raw: 'package app.rbac',
    config: ['default_authorization_decision', 'default_decision', 'labels'],
    status: { kernel: { state: 'OK' } },
    rule: true,
    id: 32,
    undefined: false,
    put: true,
    got: { alice: '2100-01-01T00:00:00Z' },
    blocked: false,
    patched: true,
    both: ['alice', 'bob'],
    deleted: true,
    allowed: true,
    again: 'resource_not_found',
    missing: 'PolicyNotFoundError',
  })
}, 120_000)

test('examples/opa-migration: the same program says the same of both servers', async () => {
  const here = join(root, 'examples/opa-migration')
  const opa = await serveOpa('--bundle', BUNDLE)
  try {
    const before = await run('node', [join(here, 'client.mjs'), opa.url])
    const after = await run('node', [join(here, 'run.mjs')])
    expect(after.stdout).toBe(before.stdout)
    expect(after.stdout).toContain('blocked: 204 false')
  } finally {
    await opa.stop()
  }
}, 120_000)
