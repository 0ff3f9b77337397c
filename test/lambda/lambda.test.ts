/**
 * The example's package in AWS's emulator of Lambda, with DynamoDB and KMS behind it: what a gateway and an invoker are told, and what is left when an
 * environment is frozen, killed or out of time in the middle.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DirectAnswer, IamAnswer } from '../../adapters/compose-lambda.ts'
import { randomBytes, toHex } from '../../core/crypto.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
import { type Built, buildFunction } from '../../examples/lambda/build.ts'
import { dynamodb } from '../backends/dynamodb.ts'
import type { RunningLambda } from '../backends/lambda.ts'
import { localstack } from '../backends/localstack.ts'
import { type FaultProxy, faultProxy } from '../backends/proxy.ts'
import { assay, type Deployed, deploy, environment } from './world.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-lambda-'))
const ending: (() => unknown)[] = []
let built: Built
let deployed: Deployed
let kms: FaultProxy
beforeAll(async () => {
  const [table, keys] = [await dynamodb(), await localstack()]
  kms = await faultProxy(keys.endpoint)
  ending.push(() => kms.close())
  const name = `lambda-${toHex(randomBytes(4))}`
  built = await buildFunction(join(folder, 'package'))
  const at = { dynamodb: table.endpoint, kms: keys.endpoint }
  deployed = await deploy(join(folder, 'operator'), name, at)
}, 600_000)
afterAll(async () => {
  for (const end of ending.reverse()) await end()
  rmSync(folder, { recursive: true })
})

const started = async (env: Readonly<Record<string, string>> = {}, timeoutSeconds = 30) => {
  const module = join(built.folder, 'handler.mjs')
  const lambda = await environment(deployed, folder, { module, env, timeoutSeconds })
  ending.push(() => lambda.stop())
  return lambda
}
const WRITE = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'write' },
  resource: { type: 'note', id: 'plan' },
}
const STAGE = 'arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod'
const tokenEvent = (name: string, path: string) => ({
  type: 'TOKEN',
  methodArn: `${STAGE}/GET${path}`,
  authorizationToken: `Bearer a-long-example-token-of-${name}`,
})

type Decided = Extract<DirectAnswer, { id: string }> & { readonly receipt: Receipt }
/** Decided, in the log, and provable by whoever has the anchor and nothing else. */
const sealed = async (lambda: RunningLambda, idempotencyKey?: string): Promise<Decided> => {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey }
  const event = { evaluation: WRITE, seal: 'sealed', receipt: 'include', ...key }
  const answer = (await lambda.invoke(event)) as Decided
  expect(answer).toMatchObject({ allow: true, id: expect.any(String) })
  const { leaf, ok } = verifyReceipt(answer.receipt, deployed.anchor)
  expect([ok, leaf?.id]).toEqual([true, answer.id])
  return answer
}
const isSound = async (): Promise<void> => {
  const trust = ['--trust', deployed.anchorFile]
  const report = await assay(['fsck', ...deployed.operator, ...trust, '--json'])
  expect(JSON.parse(report)).toMatchObject({ ok: true, problems: [] })
}
/** The function's own process, which the emulator started. */
const runtimeOf = ({ pid }: RunningLambda): number => {
  const threads = readdirSync(`/proc/${pid}/task`)
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '),
  )
  const [runtime = 0] = children.map(Number).filter((child) => child > 1)
  if (runtime === 0) throw new Error('the emulator runs no function')
  return runtime
}
/** Resolves when the environment asks KMS for its next signature. */
const signing = async (): Promise<void> => {
  const before = kms.seen.length
  const asks = (): boolean =>
    kms.seen.slice(before).some(({ headers }) => headers['x-amz-target'] === 'TrentService.Sign')
  await expect.poll(asks, { timeout: 20_000 }).toBe(true)
}

test('the package has the clients that it uses and no other, no compiler, no HTTP framework', () => {
  const inputs = Object.keys(built.metafile.inputs)
  const clients = inputs.flatMap((path) => /@aws-sdk\/client-[a-z-]+/.exec(path) ?? [])
  const output = Object.values(built.metafile.outputs)[0]?.inputs ?? {}
  const used = (pattern: RegExp): number =>
    Object.entries(output).reduce(
      (sum, [path, one]) => sum + (pattern.test(path) ? one.bytesInOutput : 0),
      0,
    )
  expect([...new Set(clients)].sort()).toEqual(['@aws-sdk/client-dynamodb', '@aws-sdk/client-kms'])
  expect(used(/adapters\/compiler|node_modules\/hono|zod|sqlite|tsyringe/)).toBe(0)
  expect(used(/adapters\/store\/dynamodb/)).toBeGreaterThan(1000)
  console.log(`package: ${built.bytes} bytes, ${built.gzipped} gzipped`)
  expect(built.bytes).toBeLessThan(2_500_000)
})

test('a gateway is answered, and an invoker gets a receipt that holds offline', async () => {
  const lambda = await started()
  const asked = async (name: string, path: string) => {
    const { policyDocument } = (await lambda.invoke(tokenEvent(name, path))) as IamAnswer
    return policyDocument.Statement.map(({ Effect, Resource }) => [Effect, ...Resource])
  }
  expect(await asked('ada', '/notes/diary')).toEqual([['Allow', `${STAGE}/GET/notes/diary`]])
  expect(await asked('ben', '/notes/plan')).toEqual([['Allow', `${STAGE}/GET/notes/plan`]])
  expect(await asked('ben', '/notes/diary')).toEqual([['Deny', `${STAGE}/GET/notes/diary`]])
  expect(await asked('eve', '/notes/plan')).toEqual([['Deny', `${STAGE}/GET/notes/plan`]])
  expect(await asked('nobody', '/notes/plan')).toEqual([['Deny', `${STAGE}/GET/notes/plan`]])
  const first = await sealed(lambda, 'one')
  expect((await sealed(lambda, 'one')).id).toBe(first.id)
  const schedule = { 'detail-type': 'Scheduled Event', source: 'aws.events', resources: [] }
  expect(await lambda.invoke(schedule)).toMatchObject({ pending: 0 })
  expect(await lambda.invoke({ anything: 'else' })).toMatchObject({
    allow: false,
    error: { code: 'unknown_event' },
  })
  await isSound()
}, 60_000)

test('an environment that is frozen while it signs is taken over from, and changes nothing when it wakes up', async () => {
  const [frozen, other] = [await started({ ASSAY_KMS: kms.url }), await started()]
  await sealed(frozen)
  const isSignature = (target: unknown): boolean => target === 'TrentService.Sign'
  kms.fault = ({ headers }) =>
    isSignature(headers['x-amz-target']) ? { delayMs: 1000 } : undefined
  const asks = signing()
  const under = sealed(frozen, 'frozen')
  await asks
  process.kill(-frozen.pid, 'SIGSTOP')
  const began = Date.now()
  const others = [await sealed(other), await sealed(other)]
  console.log(`taken over from a frozen environment after ${Date.now() - began} ms`)
  process.kill(-frozen.pid, 'SIGCONT')
  kms.fault = () => undefined
  const woken = await under.catch(() => undefined)
  // Whatever the frozen one answered: its decision is in the log, once.
  const again = await sealed(other, 'frozen')
  expect(woken === undefined || woken.id === again.id).toBe(true)
  expect(others.map(({ id }) => id)).not.toContain(again.id)
  await isSound()
}, 120_000)

test('an environment that is killed while it signs has done all or nothing, and the next one goes on', async () => {
  const lambda = await started({ ASSAY_KMS: kms.url })
  await sealed(lambda)
  kms.fault = ({ headers }) =>
    headers['x-amz-target'] === 'TrentService.Sign' ? 'hang' : undefined
  const asks = signing()
  const event = { evaluation: WRITE, seal: 'sealed', idempotencyKey: 'killed' }
  const under = lambda.invoke(event).catch(() => undefined)
  await asks
  process.kill(runtimeOf(lambda), 'SIGKILL')
  await under
  kms.fault = () => undefined
  const first = await sealed(lambda, 'killed')
  expect((await sealed(lambda, 'killed')).id).toBe(first.id)
  await isSound()
}, 120_000)

test('what hangs is answered before Lambda ends the process, and the decision stands', async () => {
  const lambda = await started({ ASSAY_KMS: kms.url }, 4)
  const warm = await sealed(lambda)
  kms.fault = ({ headers }) =>
    headers['x-amz-target'] === 'TrentService.Sign' ? 'hang' : undefined
  const event = { evaluation: WRITE, seal: 'sealed', idempotencyKey: 'late' }
  const late = (await lambda.invoke(event)) as DirectAnswer
  const said = 'error' in late ? late.error.code : late.seal
  expect(['unknown_outcome', 'committed_unsealed']).toContain(said)
  kms.fault = () => undefined
  await pause(100)
  const again = await sealed(lambda, 'late')
  expect(again.id).not.toBe(warm.id)
  await isSound()
}, 120_000)
