/** The same requests to OPA's own server and to Assay's, over the same policies: the same statuses and bodies, ids and metrics apart. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { folderOf, type Running, serveAssay, serveOpa } from '../opa.ts'

const REGO = `package app.rbac

# METADATA
# entrypoint: true
default allow := false

allow if {
	some role in data.users[input.user].roles
	data.grants[role][_] == input.action
}

# METADATA
# entrypoint: true
reasons contains msg if {
	not data.users[input.user]
	msg := sprintf("%s is unknown", [input.user])
}

# METADATA
# entrypoint: true
profile := {"user": input.user, "list": [1, {"deep": true}], "text": "é"} if input.user

# METADATA
# entrypoint: true
conflict := 1 if input.a

conflict := 2 if input.b

# METADATA
# entrypoint: true
echo := input

helper := 1
`
const MAIN = `package system

# METADATA
# entrypoint: true
main := {"hello": input.name}
`
const DATA = {
  users: { ann: { roles: ['admin'] }, bob: { roles: ['reader'] } },
  grants: { admin: ['read', 'write'], reader: ['read'] },
  list: [1, 2, 3],
  scalar: 7,
  'odd key': { 'x/y': 1 },
}

interface Ask {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  /** As it is. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}
const post = (path: string, body?: unknown): Ask => ({ method: 'POST', path, body })
const put = (path: string, body: unknown, headers = {}): Ask => ({
  method: 'PUT',
  path,
  body,
  headers,
})
const patch = (path: string, body: unknown): Ask => ({ method: 'PATCH', path, body })
const remove = (path: string): Ask => ({ method: 'DELETE', path })
const get = (path: string): Ask => ({ path })
const add = (path: string, value: unknown): object => ({ op: 'add', path, value })

/** In this order: later ones see what earlier ones changed. */
const ASKS: readonly Ask[] = [
  post('/v1/data/app/rbac/allow', { input: { user: 'ann', action: 'write' } }),
  post('/v1/data/app/rbac/allow', { input: { user: 'bob', action: 'write' } }),
  post('/v1/data/app/rbac/allow', { input: {} }),
  post('/v1/data/app/rbac/allow', {}),
  post('/v1/data/app/rbac/allow', { input: null }),
  post('/v1/data/app/rbac/allow'),
  post('/v1/data/app/rbac/reasons', { input: { user: 'eve' } }),
  post('/v1/data/app/rbac/reasons', { input: { user: 'ann' } }),
  post('/v1/data/app/rbac/profile', { input: { user: 'ann' } }),
  post('/v1/data/app/rbac/profile/list', { input: { user: 'ann' } }),
  post('/v1/data/app/rbac/profile/list/1/deep', { input: { user: 'ann' } }),
  post('/v1/data/app/rbac/profile', { input: {} }),
  post('/v1/data/app/rbac/conflict', { input: { a: 1 } }),
  post('/v1/data/app/rbac/conflict', { input: { a: 1, b: 1 } }),
  post('/v1/data/app/rbac/echo', { input: [1, 'x', null, { y: false }] }),
  post('/v1/data/app/rbac/echo', { input: 'text' }),
  post('/v1/data/app/rbac/echo', { input: 0 }),
  post('/v1/data/app/rbac/nothing', { input: {} }),
  post('/v1/data/no/such/package', { input: {} }),
  { method: 'POST', path: '/v1/data/app/rbac/allow', text: '{"input":' },
  { method: 'POST', path: '/v1/data/app/rbac/allow', text: '[1]' },
  { method: 'POST', path: '/v1/data/app/rbac/allow', text: 'null' },
  get(`/v1/data/app/rbac/allow?input=${encodeURIComponent('{"user":"ann","action":"read"}')}`),
  get('/v1/data/app/rbac/allow?input=nonsense'),
  get('/v1/data/app/rbac/allow'),
  get('/v1/data/users'),
  get('/v1/data/users/ann/roles/0'),
  get('/v1/data/users/zoe'),
  get('/v1/data/list/2'),
  get('/v1/data/list/x'),
  get('/v1/data/scalar'),
  get('/v1/data/scalar/deeper'),
  get('/v1/data/odd%20key/x%2Fy'),
  get('/v1/data/users?pretty=true'),
  get('/v1/data/users?explain=notes'),
  { method: 'HEAD', path: '/v1/data/users' },
  { method: 'OPTIONS', path: '/v1/data/users' },
  post('/v0/data/app/rbac/allow', { user: 'ann', action: 'read' }),
  post('/v0/data/app/rbac/profile', { user: 'ann' }),
  post('/v0/data/app/rbac/profile', {}),
  post('/v0/data/no/such', {}),
  post('/v0/data/users/ann'),
  { method: 'POST', path: '/v0/data/app/rbac/allow', text: '{' },
  get('/v0/data/users'),
  post('/', { name: 'world' }),
  post('/', {}),
  put('/v1/data/blocks', { ann: true }),
  get('/v1/data/blocks'),
  put('/v1/data/blocks/bob', false),
  put('/v1/data/blocks/deep/er/value', [1]),
  get('/v1/data/blocks'),
  put('/v1/data/blocks', {}, { 'if-none-match': '*' }),
  put('/v1/data/other', 'new', { 'if-none-match': '*' }),
  get('/v1/data/other'),
  put('/v1/data/other/below', 1),
  put('/v1/data/list/0', 'first'),
  get('/v1/data/list'),
  put('/v1/data/app/rbac/allow', true),
  put('/v1/data/app/rbac', { allow: true }),
  put('/v1/data/app/extra', { fine: 1 }),
  get('/v1/data/app/extra'),
  { method: 'PUT', path: '/v1/data/bad', text: '{"a":' },
  patch('/v1/data/blocks', [add('/zoe', 1), { op: 'replace', path: '/ann', value: 'x' }]),
  patch('/v1/data/list', [add('/-', 9), { op: 'remove', path: '/0' }]),
  patch('/v1/data', [add('/fresh', { a: 1 })]),
  get('/v1/data/list'),
  patch('/v1/data/blocks', [{ op: 'remove', path: '/nobody' }]),
  patch('/v1/data/blocks', [{ op: 'test', path: '/ann', value: 1 }]),
  patch('/v1/data/blocks', { op: 'add' }),
  patch('/v1/data/nowhere/at/all', [add('/x', 1)]),
  get('/v1/data/blocks'),
  remove('/v1/data/blocks/zoe'),
  remove('/v1/data/blocks/zoe'),
  get('/v1/data/blocks'),
  remove('/v1/data/users/bob'),
  post('/v1/data/app/rbac/allow', { input: { user: 'bob', action: 'read' } }),
  put('/v1/data/users/bob', { roles: ['admin'] }),
  post('/v1/data/app/rbac/allow', { input: { user: 'bob', action: 'write' } }),
  remove('/v1/data/fresh'),
  get('/v1/data/fresh'),
  get('/health'),
  get('/health?bundles&plugins'),
  get('/v1/policies/no-such'),
]

/** Where the two differ on purpose: docs/opa.md says why. */
const DIFFERENT: readonly (readonly [why: string, one: Ask, opa: object, assay: object])[] = [
  [
    'a member that a constant cannot have is an error of types in OPA, undefined here',
    post('/v1/data/app/rbac/profile/nothing', { input: { user: 'ann' } }),
    { status: 500, body: { code: 'internal_error' } },
    { status: 200, body: {} },
  ],
  [
    'a rule that is no entry point is not answered',
    post('/v1/data/app/rbac/helper', { input: {} }),
    { status: 200, body: { result: 1 } },
    { status: 200, body: {} },
  ],
  [
    'a member twice is refused',
    { method: 'POST', path: '/v1/data/app/rbac/echo', text: '{"input":1,"input":2}' },
    { status: 200, body: { result: 2 } },
    { status: 400, body: { code: 'invalid_parameter' } },
  ],
  [
    'traces are not made',
    post('/v1/data/app/rbac/undefined?explain=fails', { input: {} }),
    { status: 200, body: {} },
    { status: 400, body: { code: 'invalid_parameter' } },
  ],
  [
    'policies are configuration',
    { method: 'DELETE', path: '/v1/policies/no-such' },
    { status: 404, body: { code: 'resource_not_found' } },
    { status: 403, body: { code: 'invalid_operation' } },
  ],
  [
    'ad hoc queries are not served',
    post('/v1/query', { query: 'x = 1' }),
    { status: 200, body: { result: [{ x: 1 }] } },
    { status: 501, body: { code: 'invalid_operation' } },
  ],
]

async function ask(
  url: string,
  { body, headers, method = 'GET', path, text }: Ask,
): Promise<object> {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(content === undefined ? {} : { body: content }),
  })
  const said = await answer.text()
  // Where OPA sends no body, or one that only says what the status says, it is nobody's to compare.
  if (answer.status === 405) return { status: 405 }
  return { status: answer.status, body: comparable(said === '' ? undefined : JSON.parse(said)) }
}

/** Without ids and metrics; of an error its code, since its words are the implementation's. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { decision_id: _, metrics: __, ...rest } = value as Record<string, unknown>
  return typeof rest.code === 'string' && 'message' in rest ? { code: rest.code } : rest
}

describe('the same answers as OPA', () => {
  let opa: Running
  let assay: Running
  let remove: () => Promise<void>
  beforeAll(async () => {
    const place = await folderOf({
      'policies/app/rbac.rego': REGO,
      'policies/system/main.rego': MAIN,
      'policies/data.json': JSON.stringify(DATA),
    })
    remove = place.remove
    opa = await serveOpa(`${place.dir}/policies`)
    assay = await serveAssay({ dir: `${place.dir}/policies` })
  }, 300_000)
  afterAll(async () => {
    await assay?.stop()
    await opa?.stop()
    await remove?.()
  })

  test.each(ASKS.map((one, i) => [`${i} ${one.method ?? 'GET'} ${one.path}`, one] as const))(
    '%s',
    async (_, one) => {
      const [expected, said] = [await ask(opa.url, one), await ask(assay.url, one)]
      expect(said).toEqual(expected)
    },
  )

  test.each(DIFFERENT)('known difference: %s', async (_, one, expected, said) => {
    expect(await ask(opa.url, one)).toEqual(expected)
    expect(await ask(assay.url, one)).toEqual(said)
  })
})
