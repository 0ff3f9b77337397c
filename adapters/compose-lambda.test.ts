/** A function from its parts: opened once, denials while it cannot be, policies that were packed before, and who gets in over HTTP. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { StoreError } from '../core/error.ts'
import { formatVkey } from '../core/log/note.ts'
import { verifyReceipt } from '../core/log/receipt.ts'
import type { Custody } from '../core/ports/custody.ts'
import { Payload } from '../core/request.ts'
import { refusal } from '../test/conformance/laws.ts'
import { bundle, compiler } from '../test/rego.ts'
import {
  access,
  createLambdaHandler,
  type DirectAnswer,
  type HttpPart,
  httpRoutes,
  type IamAnswer,
  identifyBy,
  type LambdaFunction,
  type LambdaParts,
  opaPolicies,
  type PackagedPolicies,
  type ProxyAnswer,
} from './compose-lambda.ts'
import { packageConfigured, packagePolicies } from './compose-lambda-package.ts'
import { OWN_POLICIES } from './config/complete.ts'
import { openFileCustody } from './custody/file/index.ts'
import { pack } from './policies/bundle/archive.ts'
import { bundleFiles } from './policies/bundle/build.ts'
import { openMemory } from './store/memory/index.ts'

const RULES = `package assay.access

decision := {"allow": true, "effects": [], "obligations": [], "reasons": [{"code": "known", "message": "known", "rule": "access.known"}]} if {
	input.facts.payload.action == "read"
} else := {"allow": false, "effects": [], "obligations": [], "reasons": [{"code": "unknown", "message": "unknown", "rule": "access.unknown"}]}
`
const ENTRY = 'assay/access/decision'
const ORIGIN = 'log.example.com/compose'
const folder = mkdtempSync(join(tmpdir(), 'assay-compose-lambda-'))
let policies: PackagedPolicies
const opened: LambdaFunction[] = []
beforeAll(async () => {
  policies = await packaged('one', 1)
}, 120_000)
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})
afterAll(async () => {
  await compiler.close()
  rmSync(folder, { recursive: true })
})

async function packaged(name: string, counter: number): Promise<PackagedPolicies> {
  const built = await bundle({ 'access/decision.rego': RULES }, [ENTRY])
  const path = join(folder, `${name}.tar.gz`)
  writeFileSync(path, await pack(bundleFiles(built, { compiler: compiler.version, counter })))
  const files = await packagePolicies(path)
  const url = `data:text/javascript;base64,${Buffer.from(files['policies.mjs']).toString('base64')}`
  const { default: made } = (await import(/* @vite-ignore */ url)) as { default: unknown }
  return { policies: JSON.parse(files['policies.json']), made }
}

const custody = async (): Promise<Custody> => {
  const keys = await openFileCustody({ dir: mkdtempSync(join(folder, 'keys-')) })
  await keys.transition(await keys.create('log', 'log'), 'active')
  return keys
}
const started = (parts: Partial<LambdaParts> = {}): LambdaFunction => {
  const fn = createLambdaHandler({
    origin: ORIGIN,
    store: () => openMemory(),
    custody,
    plugins: [access],
    policies,
    direct: {},
    report: () => undefined,
    ...parts,
  })
  opened.push(fn)
  return fn
}
const asked = (name: string) => ({
  evaluation: {
    subject: { type: 'user', id: 'ada' },
    action: { name },
    resource: { type: 'note', id: 'plan' },
  },
})

test('decides by packed policies, and the receipt holds under the key of its custody', async () => {
  let keys: Custody | undefined
  const fn = started({
    custody: async () => {
      keys = await custody()
      return keys
    },
  })
  await fn.ready
  const answer = (await fn.handler({ ...asked('read'), receipt: 'include' })) as Extract<
    DirectAnswer,
    { id: string }
  >
  expect(answer).toMatchObject({ allow: true, seal: 'sealed' })
  const [key] = (await keys?.list('log')) ?? []
  const vkey = formatVkey(ORIGIN, key?.publicKey ?? new Uint8Array())
  const anchor = { type: 'assay.trust/v1', origin: ORIGIN, keys: [{ vkey, from: '0' }] } as const
  const verified = verifyReceipt(answer.receipt!, anchor)
  expect([verified.ok, verified.leaf?.mode]).toEqual([true, 'development'])
  expect(await fn.handler(asked('erase'))).toMatchObject({
    allow: false,
    reasons: [{ code: 'unknown' }],
  })
})

test('opens once for all invocations', async () => {
  let count = 0
  const fn = started({
    store: () => {
      count++
      return openMemory()
    },
  })
  await Promise.all([fn.handler(asked('read')), fn.handler(asked('read')), fn.ready])
  await fn.handler(asked('read'))
  expect(count).toBe(1)
})

test('denies while it cannot be opened, says why once a try, and goes on when it can', async () => {
  const told: string[] = []
  let broken = true
  const event = {
    type: 'TOKEN',
    methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/notes/plan',
    authorizationToken: 'Bearer a-long-example-token-of-ada',
  }
  const fn = started({
    authorizer: {
      routes: [{ path: '/notes/{id}', action: 'read', resource: { type: 'note', id: '{id}' } }],
      identify: identifyBy({
        kind: 'bearer',
        tokens: [
          {
            sha256: await sha256('a-long-example-token-of-ada'),
            peer: { kind: 'user', id: 'ada' },
          },
        ],
      }),
    },
    report: (message) => told.push(message),
    store: () => {
      if (broken) throw new StoreError('store/x', 'misconfigured', 'there is no such table')
      return openMemory()
    },
  })
  await fn.ready
  const effects = async () =>
    ((await fn.handler(event)) as IamAnswer).policyDocument.Statement.map(({ Effect }) => Effect)
  expect(await effects()).toEqual(['Deny'])
  expect(await fn.handler(asked('read'))).toMatchObject({
    allow: false,
    error: { code: 'unavailable' },
  })
  expect(told).toHaveLength(3)
  expect(told[0]).toBe('assay: [store/x] misconfigured: there is no such table')
  broken = false
  expect(await effects()).toEqual(['Allow'])
  expect(told).toHaveLength(3)
})

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Buffer.from(digest).toString('hex')
}

test('a custody without an active log key makes none', async () => {
  const dir = mkdtempSync(join(folder, 'keys-'))
  const fn = started({ custody: () => openFileCustody({ dir }) })
  expect(await refusal(fn.open())).toBe('unavailable')
  const keys = await openFileCustody({ dir })
  expect(await keys.list('log')).toEqual([])
  await keys.close()
})

test('a release older than one that served does not serve', async () => {
  const released = (counter: number): PackagedPolicies => {
    const { bundle: known, plan } = policies.policies
    const release = { counter, content: `sha256:${counter}` }
    return { ...policies, policies: { plan, bundle: { ...known, release } } }
  }
  // The store outlives its environments.
  const pair = openMemory()
  const kept = { ...pair }
  kept.store.close = async () => undefined
  kept.log.close = async () => undefined
  const keys = await custody()
  keys.close = async () => undefined
  const parts = { store: () => kept, custody: () => keys }
  await started({ ...parts, policies: released(2) }).open()
  const why: string[] = []
  const older = started({ ...parts, policies: released(1), report: (message) => why.push(message) })
  expect(await refusal(older.open())).toBe('unavailable')
  expect(why.join()).toContain('older_revision')
  const newer = await started({ ...parts, policies: released(3) }).open()
  const decided = await newer.decide({
    action: 'access.evaluate',
    payload: Payload.fromJson(asked('read').evaluation),
  })
  expect(JSON.parse((await decided.receipt()).leaf)).not.toHaveProperty('mode')
})

test('over HTTP those get in who are named: by IAM, by token, and nobody else', async () => {
  const token = {
    sha256: await sha256('a-token-of-more-than-twenty'),
    peer: { kind: 'service', id: 'ci' },
  }
  const auth = [{ kind: 'platform' } as const, { kind: 'bearer', tokens: [token] } as const]
  const http: HttpPart = httpRoutes({ auth, publicUrl: 'https://pdp.example' })
  const fn = started({ http })
  const post = async (context: object, headers: object = {}): Promise<ProxyAnswer> => {
    const http = { method: 'POST' }
    return (await fn.handler({
      version: '2.0',
      rawPath: '/access/v1/evaluation',
      headers: { 'content-type': 'application/json', ...headers },
      requestContext: { http, ...context },
      body: JSON.stringify(asked('read').evaluation),
    })) as ProxyAnswer
  }
  expect((await post({})).statusCode).toBe(401)
  const userArn = 'arn:aws:iam::123456789012:user/ci'
  const signed = await post(
    { authorizer: { iam: { userArn } } },
    { authorization: 'AWS4-HMAC-SHA256 x' },
  )
  expect([signed.statusCode, JSON.parse(signed.body)]).toEqual([200, { decision: true }])
  const bearer = { authorization: 'Bearer a-token-of-more-than-twenty' }
  expect((await post({}, bearer)).statusCode).toBe(200)
  const ready = await fn.handler({
    httpMethod: 'GET',
    path: '/health/ready',
    requestContext: { elb: {} },
  })
  expect(ready).toMatchObject({ statusCode: 200 })
})

test("OPA's Data API answers by policies that were packed with ours", async () => {
  const place = mkdtempSync(join(folder, 'opa-'))
  mkdirSync(join(place, 'own'))
  mkdirSync(join(place, 'policies', 'access'), { recursive: true })
  writeFileSync(join(place, 'policies', 'access', 'decision.rego'), RULES)
  // What the plugin's own rules stand on.
  for (const name of ['lib', 'main.rego'])
    cpSync(join(OWN_POLICIES, name), join(place, 'policies', name), { recursive: true })
  const rego =
    'package notes\n\n# METADATA\n# entrypoint: true\nallow := input.user in data.known\n'
  writeFileSync(join(place, 'own', 'notes.rego'), rego)
  writeFileSync(join(place, 'own', 'data.json'), '{"known":["ada"]}')
  const file = join(place, 'assay.yaml')
  const config = { policies: './policies', plugins: ['access'], opa: { dir: './own' } }
  writeFileSync(file, JSON.stringify(config))
  const files = await packageConfigured(file)
  const url = `data:text/javascript;base64,${Buffer.from(files['policies.mjs']).toString('base64')}`
  const { default: made } = (await import(/* @vite-ignore */ url)) as { default: unknown }
  const http = httpRoutes({ auth: 'none', publicUrl: 'https://pdp.example' })
  const packed = { policies: JSON.parse(files['policies.json']), made }
  const fn = started({ http, opa: opaPolicies(), policies: packed })
  const ask = async (user: string): Promise<unknown> => {
    const event = {
      httpMethod: 'POST',
      path: '/v1/data/notes/allow',
      headers: { 'content-type': 'application/json' },
      requestContext: { requestId: user },
      body: JSON.stringify({ input: { user } }),
    }
    return JSON.parse(((await fn.handler(event)) as ProxyAnswer).body)
  }
  expect([await ask('ada'), await ask('eve')]).toMatchObject([{ result: true }, { result: false }])
}, 120_000)

/** Asked for a decision, it ends while that is under way. */
const ENDING = `
  const { createLambdaHandler } = await import(process.argv[1])
  let release
  const held = new Promise((resolve) => { release = resolve })
  const fn = createLambdaHandler({
    direct: {}, origin: 'x', plugins: [], policies: {}, report: () => undefined,
    store: async () => { await held; throw new Error('gone') },
    custody: () => undefined,
  })
  const answer = fn.handler({ action: 'access.evaluate', payload: {} })
  answer.then(({ error }) => console.log(error.code))
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => { console.log('released'); release() }, 100)
  setInterval(() => undefined, 1000)`

test('on SIGTERM what is under way is answered, and then the process ends by it', async () => {
  const module = join(import.meta.dirname, 'compose-lambda.ts')
  const child = spawn(process.execPath, ['--input-type=module', '-e', ENDING, module])
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect([signal, said]).toEqual(['SIGTERM', 'released\nunavailable\n'])
})
