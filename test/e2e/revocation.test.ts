/**
 * Three kernels in processes of their own, over networks that lose, delay and repeat. A revoked token is never accepted again where it was
 * revoked, and nowhere after ten seconds, whoever is killed or cut off (`npm run soak -- revocation` measures the same for longer); a token
 * that is shown to another cell is in the logs of both.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { fromBase64url } from '../../core/crypto.ts'
import { type Frame, openBody, type Revocations, readFrame } from '../../formats/wire/index.ts'
import { BOUND_MS, measure, RESOURCES, table } from '../cells/measure.ts'
import { refusal, type Victim, WAYS, type Way } from '../cells/revoking.ts'
import { granted, type Kernel, used, World } from '../cells/world.ts'
import { seeded } from '../crash/random.ts'

const random = seeded(7)
let world: World
let a: Kernel
let b: Kernel
let c: Kernel
beforeAll(async () => {
  const weather = { loss: 0.15, duplicates: 0.1, delayMs: 60 }
  world = await World.make({ kernels: 3, random, resources: RESOURCES, weather })
  ;[a, b, c] = world.kernels as [Kernel, Kernel, Kernel]
}, 240_000)
afterAll(() => world?.close())

test('revocations are heard of in time, with messages lost and kernels killed', {
  timeout: 300_000,
}, async () => {
  const calm = await measure(world, { random, revocations: 4 })
  const killing = await measure(world, { random, restarts: 2, revocations: 4 })
  console.log(table([calm, killing]))
  expect([...calm.problems, ...killing.problems]).toEqual([])
  expect(calm.observed).toBe(24)
  for (const { accepted } of [calm, killing]) expect(accepted.max).toBeLessThanOrEqual(BOUND_MS)
  expect(calm.network.lost).toBeGreaterThan(0)
})

/** Of the kernel's cell: what it tells those who ask for all of it. */
async function toldBy(kernel: Kernel, cell: string): Promise<readonly string[]> {
  const { output } = await kernel.ask('announce.revocations', { cell })
  const message = fromBase64url(output?.unsigned as string) as Uint8Array
  const signature = fromBase64url(output?.signature as string) as Uint8Array
  message.set(signature, 37)
  const body = (await openBody(readFrame(message) as Frame)) as Revocations
  return body.entries.map(({ id }) => id)
}

test('revocations are forgotten when the tokens are over', { timeout: 120_000 }, async () => {
  const id = 'ab'.repeat(32)
  const until = Math.floor(Date.now() / 1000) + 6
  await a.ask('announce.revoke', { cell: 'cell-a', id, kind: 'token', until })
  expect(await toldBy(a, 'cell-a')).toContain(id)
  await expect.poll(() => Date.now() / 1000, { timeout: 20_000 }).toBeGreaterThan(until + 1)
  expect(await toldBy(a, 'cell-a')).not.toContain(id)
  for (const kernel of world.kernels) {
    const swept = async (): Promise<boolean> => (await kernel.ask('announce.sweep', {})).allow
    await expect.poll(swept, { timeout: 20_000 }).toBe(false)
  }
  const revoked = await recordsOf(b)
  expect(revoked.filter((sort) => sort.includes(id))).toEqual([])
  // Those of the tokens that live on are still there.
  expect(revoked.length).toBeGreaterThan(0)
})

/** Read beside the running kernel. */
async function recordsOf(kernel: Kernel): Promise<readonly string[]> {
  const path = join(kernel.folder, 'data/assay.db')
  const { log, store } = await openSqlite({ path, readOnly: true })
  try {
    const sorts: string[] = []
    for await (const { key } of store.list('announce', 'revoked/')) sorts.push(key.sort)
    return sorts
  } finally {
    await log.close()
    await store.close()
  }
}

test('revocations that cannot be heard of are not waited for', { timeout: 240_000 }, async () => {
  const live = await granted(a, 'cell-a', RESOURCES - 1)
  const victim = await (WAYS.token as Way)({ cell: 'cell-a', issuer: a, n: RESOURCES - 2 })
  const isLive = async (kernel: Kernel): Promise<boolean> =>
    (await used(kernel, 'cell-a', live)).allow
  const patience = { timeout: 60_000, interval: 100 }
  await expect.poll(() => isLive(b), patience).toBe(true)
  await expect.poll(() => refusal(b, victim), patience).toBe(undefined)

  world.partition(b, true)
  await victim.revoke()
  const committed = performance.now()
  expect(await refusal(a, victim)).toBe('token_revoked')
  const last = await lastAccepted(b, victim, committed)
  expect(last).toBeLessThanOrEqual(BOUND_MS)
  // Of this cell, which may have revoked anything; of its own, it knows.
  expect(await isLive(b)).toBe(false)
  expect((await used(b, 'cell-a', live)).reasons[0]?.code).toBe('revocations_stale')
  const own = await granted(b, 'cell-b', RESOURCES - 1)
  expect((await used(b, 'cell-b', own)).allow).toBe(true)

  world.partition(b, false)
  await expect.poll(() => refusal(b, victim), patience).toBe('token_revoked')
  await expect.poll(() => isLive(b), patience).toBe(true)
})

/** Milliseconds from `since` to the last time that it was accepted. */
async function lastAccepted(kernel: Kernel, victim: Victim, since: number): Promise<number> {
  let last = 0
  for (;;) {
    const asked = performance.now() - since
    const code = await refusal(kernel, victim)
    if (code === undefined) last = asked
    else if (code === 'revocations_stale') return last
    if (asked > 2 * BOUND_MS) return asked
    await pause(50)
  }
}

test('a token that is shown to another cell is in the logs of both', {
  timeout: 180_000,
}, async () => {
  const shown = await granted(a, 'cell-a', RESOURCES - 3)
  const refused = await used(b, 'cell-b', shown)
  expect(refused.reasons.map(({ code }) => code)).toEqual(['audience_mismatch'])
  expect(await leavesOf(b, 'capability.use')).toContain(refused.id)
  // Over the bad network, as a signed call: what is lost four times in a row is sent again after half a minute.
  await expect
    .poll(() => leavesOf(a, 'capability.report'), { timeout: 150_000, interval: 500 })
    .toHaveLength(1)
})

/** Ids of the decisions of this action. */
async function leavesOf(kernel: Kernel, action: string): Promise<readonly string[]> {
  const path = join(kernel.folder, 'data/assay.db')
  const { log, store } = await openSqlite({ path, readOnly: true })
  try {
    const ids: string[] = []
    const size = await log.size()
    for (let at = 0n; at < size; at += 256n) {
      const left = size - at
      for (const leaf of await log.leaves(at, left < 256n ? Number(left) : 256)) {
        const said = JSON.parse(new TextDecoder().decode(leaf)) as { action?: string; id: string }
        if (said.action === action) ids.push(said.id)
      }
    }
    return ids
  } finally {
    await log.close()
    await store.close()
  }
}

test('revocations of a key and of a tenant end all of their tokens', {
  timeout: 120_000,
}, async () => {
  const key = await measure(world, { issuers: [c], kinds: ['key'], random, revocations: 1 })
  const tenant = await measure(world, { issuers: [a], kinds: ['tenant'], random, revocations: 1 })
  expect([...key.problems, ...tenant.problems]).toEqual([])
  const asked = { cell: 'cell-a', resource: 'cell-a-gpu-1', tenant: 'demo', ttl: 60 }
  const nk = (await a.ask('enrolment.prove', { cell: 'cell-a' })).output?.public_key as string
  expect((await a.ask('lease.grant', { ...asked, nk })).allow).toBe(false)
})
