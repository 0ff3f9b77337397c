/** A policy from its folder to a server that serves nothing unsigned: built, signed by two people, handed out over HTTP, rolled back. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { EXAMPLE_STATE, OWN_POLICIES } from '../../adapters/config/complete.ts'
import { BundleService } from '../bundle-service.ts'
import { assay, type Ran } from '../command.ts'
import { Server } from '../server.ts'

let folder: string
let service: BundleService
let server: Server | undefined
let url = ''
const vkeys: string[] = []
const at = (name: string): string => join(folder, name)

async function done(...args: string[]): Promise<Ran> {
  const ran = await assay(...args)
  expect(ran.code, ran.stdout + ran.stderr).toBe(0)
  return ran
}
async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse((await done(...args, '--json')).stdout) as T
}

/** Both of them sign it, each on a machine of their own. */
async function released(revision: number): Promise<string> {
  const bundle = at(`r${revision}.tar.gz`)
  await done('policy', 'build', at('policies'), '--output', bundle, '--revision', `${revision}`)
  return signed(bundle)
}
/** What leads from one release to the next. */
async function delta(from: number, to: number): Promise<string> {
  const made = at(`r${from}-r${to}.tar.gz`)
  await done('policy', 'delta', at(`r${from}.tar.gz`), at(`r${to}.tar.gz`), '--output', made)
  return signed(made)
}
async function signed(bundle: string): Promise<string> {
  const alone = at('bob.line')
  await done('policy', 'sign', bundle, '--key', 'bob', '--data', at('bob'), '--detached', alone)
  await done('policy', 'sign', bundle, '--key', 'ann', '--data', at('ann'))
  await done('policy', 'sign', bundle, '--add', alone)
  return bundle
}

interface Ready {
  readonly ready: boolean
  readonly degraded: readonly string[]
  readonly bundle: {
    readonly revision: number
    readonly stale: boolean
    readonly confirmed: number
  }
}
const ready = async (): Promise<Ready> =>
  (await (await fetch(`${url}/health/ready`)).json()) as Ready
/** Whether Ada may read a checkpoint of her own workload. */
async function allowed(): Promise<boolean> {
  const answer = await fetch(`${url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: 'ada' },
      action: { name: 'read' },
      resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
    }),
  })
  return ((await answer.json()) as { readonly decision: boolean }).decision
}

async function start(): Promise<void> {
  await stop()
  server = new Server({ data: at('data'), config: at('assay.json') })
  url = await server.ready
}
async function stop(): Promise<void> {
  await server?.stop()
  server = undefined
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-bundle-e2e-'))
  service = await BundleService.start('token-of-the-server')
  await cp(OWN_POLICIES, at('policies'), { recursive: true })
  for (const name of ['ann', 'bob']) {
    await done('key', 'create', 'policy', name, '--data', at(name))
    await done('key', 'activate', 'policy', name, '--data', at(name))
  }
  service.offer(await readFile(await released(1)))
  for (const name of ['ann', 'bob']) {
    const args = ['--key', name, '--data', at(name)]
    const { keys } = await json<{ keys: string[] }>('policy', 'sign', at('r1.tar.gz'), ...args)
    vkeys.push(...keys)
  }
  await writeFile(at('token'), 'token-of-the-server\n')
  const policies = {
    source: 'bundle',
    from: { url: `${service.url}/bundles/main`, tokenFile: 'token', longPollSeconds: 5 },
    roots: vkeys,
    threshold: 2,
    pollSeconds: 1,
  }
  await writeFile(at('assay.json'), JSON.stringify({ policies, state: EXAMPLE_STATE }))
}, 240_000)
afterAll(async () => {
  await stop()
  await service?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('a release is served, changed, refused when it is bad, and rolled back under a higher revision', async () => {
  await start()
  expect(await allowed()).toBe(true)
  expect((await ready()).bundle).toMatchObject({ revision: 1, stale: false })

  const rule = at('policies/access/abac.rego')
  const before = await readFile(rule, 'utf8')
  const owner = 'related.workload.attributes.owner == rbac.person.id'
  await writeFile(rule, before.replace(owner, owner.replace('==', '!=')))
  service.offer(await readFile(await released(2)))
  await vi.waitFor(async () => expect((await ready()).bundle.revision).toBe(2), { timeout: 60_000 })
  expect(await allowed()).toBe(false)

  service.offer(await readFile(at('r1.tar.gz')))
  await vi.waitFor(async () => expect((await ready()).degraded).toContain('policy_stale'), {
    timeout: 60_000,
  })
  expect((await ready()).bundle.revision).toBe(2)
  expect(server?.output).toContain('older_revision')

  await writeFile(rule, before)
  service.offer(await readFile(await released(3)))
  await vi.waitFor(async () => expect((await ready()).bundle.revision).toBe(3), { timeout: 60_000 })
  expect(await allowed()).toBe(true)
  expect((await ready()).degraded).toEqual([])
  expect(service.asked.some(({ prefer }) => prefer === 'modes=snapshot,delta;wait=5')).toBe(true)
  await stop()
}, 240_000)

test('what changes documents only arrives as a delta, signed as a bundle is', async () => {
  await start()
  await vi.waitFor(
    async () => {
      const { prefer, tag } = service.asked.at(-1) ?? {}
      expect([prefer, typeof tag]).toEqual(['modes=snapshot,delta;wait=5', 'string'])
    },
    { timeout: 60_000 },
  )
  for (const [to, actions] of [
    [4, ['*']],
    [5, []],
  ] as const) {
    const data = JSON.parse(await readFile(at('policies/data.json'), 'utf8')) as { freeze: object }
    const freeze = { ...data.freeze, actions }
    await writeFile(at('policies/data.json'), JSON.stringify({ ...data, freeze }))
    const whole = await readFile(await released(to))
    service.offer(whole, await readFile(await delta(to - 1, to)))
    await vi.waitFor(async () => expect((await ready()).bundle.revision).toBe(to), {
      timeout: 60_000,
    })
    expect(await allowed()).toBe(actions.length === 0)
  }
  expect(service.deltas).toBe(2)
  expect(server?.output).not.toContain('policy_refused')
  const [two, three] = [at('r2.tar.gz'), at('r3.tar.gz')]
  const none = await assay('policy', 'delta', two, three, '--output', at('x.tar.gz'), '--json')
  expect([none.code, JSON.parse(none.stdout)]).toMatchObject([1, { code: 'delta_not_possible' }])
  await stop()
}, 240_000)

test('a start without the network serves what served last', async () => {
  await service.stop()
  await start()
  expect(await allowed()).toBe(true)
  expect((await ready()).bundle).toMatchObject({ revision: 5, stale: false })
  await stop()
}, 120_000)

test('a verifier says who signed, with nothing but the bundle and the anchor', async () => {
  const own = JSON.parse(await readFile(at('data/trust.json'), 'utf8')) as object
  const trust = at('trust.json')
  await writeFile(trust, JSON.stringify({ ...own, policyRoots: vkeys, policyThreshold: 2 }))
  const bundle = at('r3.tar.gz')
  const verified = await json('policy', 'verify', bundle, '--trust', trust, '--rebuild')
  expect(verified).toMatchObject({ valid: true, revision: 3, threshold: 2, rebuilt: true })
  expect((verified as { readonly signers: readonly string[] }).signers.toSorted()).toEqual(
    vkeys.toSorted(),
  )
  const delta = await json('policy', 'verify', at('r4-r5.tar.gz'), '--trust', trust)
  expect(delta).toMatchObject({ valid: true, revision: 5, operations: 1, threshold: 2 })
  const unsigned = at('unsigned.tar.gz')
  await done('policy', 'build', at('policies'), '--output', unsigned)
  const refused = await assay('policy', 'verify', unsigned, '--trust', trust, '--json')
  expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([1, { code: 'unsigned' }])
  expect((await assay('policy', 'verify', bundle)).code).toBe(2)
  expect((await assay('policy', 'sign', bundle)).code).toBe(2)
  const nobody = await assay('policy', 'sign', bundle, '--key', 'carol', '--data', at('ann'))
  expect(nobody.code).toBe(2)
}, 120_000)
