/**
 * The IAM policy beside this file lets the custody do all that it does, and holds nothing more. moto checks signatures and actions, and knows no
 * resources and no conditions of KMS: those it gets without.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CustodyError } from '../../../core/error.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import { type FaultProxy, faultProxy } from '../../../test/backends/proxy.ts'
import { type Running, startServer, stop } from '../../../test/backends/shared.ts'
import { sign } from '../../../test/conformance/custody/subject.ts'
import { freePort } from '../../../test/proxies.ts'
import { motoServer } from '../../../test/tools.ts'
import { systemClock } from '../../clock/system.ts'
import { openKmsCustody } from './index.ts'

interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: string | readonly string[]
}
const POLICY = JSON.parse(readFileSync(join(import.meta.dirname, 'iam-policy.json'), 'utf8')) as {
  readonly Version: string
  readonly Statement: readonly Statement[]
}
const actionsOf = (statements: readonly Statement[]): readonly string[] =>
  statements.flatMap(({ Action }) => Action)
const ALL = actionsOf(POLICY.Statement)
/** What a server needs whose keys others make and move. */
const SIGNING = actionsOf(
  POLICY.Statement.filter(({ Sid }) => ['FindKeys', 'ReadKeys', 'Sign'].includes(Sid)),
)

/** Calls for each user before moto begins to check: the user, its policy, its access key. */
const CALLS = 3
const USERS: readonly (readonly [name: string, actions: readonly string[]])[] = [
  ['all', ALL],
  ['signing', SIGNING],
  ...ALL.map((action) => [action.replace(':', '-'), ALL.filter((one) => one !== action)] as const),
]

const folder = mkdtempSync(join(tmpdir(), 'assay-iam-'))
let moto: Running
let endpoint: string
let proxy: FaultProxy
const credentials = new Map<string, { readonly id: string; readonly secret: string }>()

beforeAll(async () => {
  const port = await freePort()
  endpoint = `http://127.0.0.1:${port}`
  moto = await startServer({
    command: await motoServer(),
    args: ['-H', '127.0.0.1', '-p', String(port)],
    env: { INITIAL_NO_AUTH_ACTION_COUNT: String(CALLS * USERS.length) },
    logFile: join(folder, 'log'),
    ready: async (said) => said.includes('Running on'),
  })
  proxy = await faultProxy(endpoint)
  for (const [name, actions] of USERS) await makeUser(name, actions)
})
afterAll(async () => {
  await proxy.close()
  stop(moto)
  rmSync(folder, { recursive: true })
})

async function makeUser(UserName: string, Action: readonly string[]): Promise<void> {
  const anybody = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }
  const iam = new AwsClient({ ...anybody, region: 'us-east-1', service: 'iam' })
  const call = async (query: Readonly<Record<string, string>>): Promise<string> => {
    const body = String(new URLSearchParams({ ...query, UserName, Version: '2010-05-08' }))
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    const answer = await iam.fetch(endpoint, { method: 'POST', body, headers })
    if (!answer.ok) throw new Error(`moto refuses ${query.Action}: ${await answer.text()}`)
    return answer.text()
  }
  await call({ Action: 'CreateUser' })
  const Statement = [{ Effect: 'Allow', Action, Resource: '*' }]
  const PolicyDocument = JSON.stringify({ Version: POLICY.Version, Statement })
  await call({ Action: 'PutUserPolicy', PolicyName: 'assay', PolicyDocument })
  const made = await call({ Action: 'CreateAccessKey' })
  const member = (name: string): string =>
    new RegExp(`<${name}>(.*)</${name}>`).exec(made)?.[1] ?? ''
  credentials.set(UserName, { id: member('AccessKeyId'), secret: member('SecretAccessKey') })
}

/** As the SDK's own chain finds the credentials of a user. */
async function as<T>(
  user: string,
  prefix: string,
  work: (custody: Custody) => Promise<T>,
): Promise<T> {
  const { id = '', secret = '' } = credentials.get(user) ?? {}
  process.env.AWS_ACCESS_KEY_ID = id
  process.env.AWS_SECRET_ACCESS_KEY = secret
  const options = { region: 'eu-central-1', endpoint: proxy.url, prefix, clock: systemClock }
  const custody = await openKmsCustody({ ...options, timeoutMs: 8000 })
  try {
    return await work(custody)
  } finally {
    await custody.close()
  }
}

const message = new TextEncoder().encode('a message')

/** Everything that the custody does. */
async function life(custody: Custody): Promise<void> {
  const key = await custody.create('log', 'main')
  await custody.transition(key, 'active')
  await sign(custody, key, message)
  for (const state of ['grace', 'retired', 'active', 'grace', 'revoked'] as const)
    await custody.transition(key, state)
  await custody.list('log')
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    ({ code, message: said }: CustodyError) => `${code} ${/kms:\w+/.exec(said)?.[0]}`,
  )

it('is enough, and no more than is called', async () => {
  const before = proxy.seen.length
  expect(await codeOf(as('all', 'p', life))).toBe('done')
  // Read from nothing, as a new process does.
  expect(await codeOf(as('all', 'p', (custody) => custody.list('log')))).toBe('done')
  const called = proxy.seen
    .slice(before)
    .map(({ headers }) => String(headers['x-amz-target']).replace('TrentService.', 'kms:'))
  expect([...new Set(called)].sort()).toEqual([...ALL].sort())
})

it.each(ALL)('is not enough without %s', async (action) => {
  const prefix = `w${action.toLowerCase().replace(/\W/g, '')}`
  const user = action.replace(':', '-')
  const outcome = await codeOf(
    as(user, prefix, life).then(() => as(user, prefix, (custody) => custody.list('log'))),
  )
  expect(outcome).toBe(`denied ${action}`)
})

it('signs with a part of it, and makes and moves nothing', async () => {
  await as('all', 's', async (custody) => {
    await custody.transition(await custody.create('log', 'main'), 'active')
  })
  await as('signing', 's', async (custody) => {
    const [key] = await custody.list('log')
    expect(await sign(custody, key!, message)).toHaveLength(64)
    expect(await codeOf(custody.create('log', 'main'))).toBe('denied kms:CreateKey')
    expect(await codeOf(custody.transition(key!, 'grace'))).toBe('denied kms:CreateAlias')
    expect(await codeOf(custody.transition(key!, 'revoked'))).toBe('denied kms:DisableKey')
  })
})

it('takes no other secret', async () => {
  const own = credentials.get('all') as { readonly id: string; readonly secret: string }
  credentials.set('thief', { id: own.id, secret: 'anotherSecret' })
  expect(await codeOf(as('thief', 's', (custody) => custody.list('log')))).toBe(
    'denied kms:ListAliases',
  )
})
