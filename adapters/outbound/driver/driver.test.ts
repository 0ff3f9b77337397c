/** Teardowns and resets against a real HTTP driver and a real kernel: what the driver says is what the log says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PARTITION } from '../../../core/decision.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { OutboundAction } from '../../../core/ports/outbound.ts'
import type { Store } from '../../../core/ports/store.ts'
import { testCustody } from '../../../test/kernel/custody.ts'
import { type Answer, type Desk, DONE, FAILED, openDesk } from '../../../test/lease/desk.ts'
import {
  CELL,
  code,
  collector,
  type Leasing,
  lateKernel,
  leasing,
  publicKey,
  TENANT,
} from '../../../test/lease/kit.ts'
import { compiler } from '../../../test/rego.ts'
import { openMemory } from '../../store/memory/index.ts'
import { openSqlite } from '../../store/sqlite/index.ts'
import { createDrivers, type DriverChoice } from './index.ts'

const GPU = 'gpu-0'
/** Short where nobody answers; elsewhere a busy machine gets the default. */
const TIMEOUT_MS = 300

let desk: Desk
let pair: { store: Store; log: LogStore }
const opened: Leasing[] = []
beforeEach(async () => {
  desk = await openDesk()
  pair = openMemory()
})
afterEach(async () => {
  for (const place of opened.splice(0)) await place.kernel.close()
  await desk.close()
})
afterAll(() => compiler.close())

async function open(driver?: DriverChoice, custody?: Custody): Promise<Leasing> {
  const late = lateKernel()
  const drivers = driver === undefined ? {} : { [CELL]: driver }
  const place = await leasing({
    pair,
    ...(custody === undefined ? {} : { custody }),
    outbound: [createDrivers({ drivers, kernel: late }), collector(['announce.revoke'])],
  })
  late.use(place.kernel)
  opened.push(place)
  await place.decide('lease.add-resource', { cell: CELL, resource: GPU })
  return place
}

/** @returns the lease, granted and freed */
async function endOne(place: Leasing): Promise<string> {
  const asked = { cell: CELL, nk: publicKey(), resource: GPU, tenant: TENANT, ttl: 60 }
  const { id } = await place.decide('lease.grant', asked)
  expect(code(await place.decide('lease.free', { lease: id }))).toBe('ended')
  return id
}
const becomes = (place: Leasing, state: string, more: object = {}) =>
  vi.waitFor(async () => expect(await place.resource(GPU)).toMatchObject({ state, ...more }), {
    timeout: 20_000,
    interval: 10,
  })
const over = (place: Leasing) =>
  vi.waitFor(
    async () => {
      for await (const { key } of place.store.list(PARTITION.outbox, '')) throw new Error(key.sort)
    },
    { timeout: 20_000 },
  )

describe('a teardown', () => {
  it('is asked for with everything that a driver needs, and frees the resource', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-driver-'))
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, 'a-token\n')
    const place = await open({ url: desk.url, tokenFile })
    const lease = await endOne(place)
    await becomes(place, 'free', { epoch: 3 })
    const [asked] = desk.asked
    expect(asked?.body).toEqual({
      cell: CELL,
      epoch: 2,
      generation: 1,
      kind: 'lease.teardown',
      lease,
      resource: GPU,
    })
    expect(asked?.authorization).toBe('Bearer a-token')
    expect(asked?.key).toMatch(/^[0-9a-f]{32}\/\d+$/)
    await rm(folder, { recursive: true })
  })

  it('that the driver refuses fences the resource, at once', async () => {
    desk.answer(FAILED)
    const place = await open({ url: desk.url })
    const lease = await endOne(place)
    await becomes(place, 'fenced', { lease, fence: { why: 'it hangs' } })
    expect(desk.asked).toHaveLength(1)
  })

  it('is asked for again while there is no answer', async () => {
    desk.answer(503, 202, DONE)
    const place = await open({ url: desk.url })
    await endOne(place)
    await becomes(place, 'free')
    expect(new Set(desk.asked.map(({ key }) => key)).size).toBe(1)
    expect(desk.asked).toHaveLength(3)
  })

  it.each<[string, Answer, string]>([
    ['nothing', 'silence', 'timeout'],
    ['an error', 500, 'status_500'],
    ['202, every time', 202, 'status_202'],
    ['a redirect', 302, 'status_302'],
    ['no JSON', '', 'malformed_answer'],
    ['a text for a boolean', '{"ok":"true"}', 'malformed_answer'],
    ['two members of one name', '{"ok":true,"ok":false}', 'malformed_answer'],
    ['a member too many', '{"ok":true,"extra":1}', 'malformed_answer'],
    ['a long reason', `{"ok":false,"why":"${'x'.repeat(257)}"}`, 'malformed_answer'],
    ['a long body', `{"ok":true}${' '.repeat(5000)}`, 'malformed_answer'],
  ])('that is answered with %s counts as failed', async (_, answer, why) => {
    desk.answer(answer)
    const { url } = desk
    const place = await open(answer === 'silence' ? { url, timeoutMs: TIMEOUT_MS } : { url })
    await endOne(place)
    await becomes(place, 'fenced', { fence: { why } })
    expect(desk.asked.length).toBeGreaterThanOrEqual(1)
  })

  it('without anybody there counts as failed', async () => {
    await desk.close()
    const place = await open({ url: desk.url })
    await endOne(place)
    await becomes(place, 'fenced', { fence: { why: 'unreachable' } })
    desk = await openDesk()
  })

  it('of a cell that has no driver fails; `none` is somebody’s word that there is nothing to do', async () => {
    const without = await open()
    await endOne(without)
    await becomes(without, 'fenced', { fence: { why: 'no_driver' } })
    pair = openMemory()
    const none = await open('none')
    await endOne(none)
    await becomes(none, 'free')
    expect(desk.asked).toEqual([])
  })

  it('that a shutdown cuts short is neither done nor failed, and is asked for again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-driver-'))
    const custody = await testCustody()
    const restart = async (): Promise<Leasing> => {
      pair = await openSqlite({ path: join(folder, 'assay.db') })
      return open({ url: desk.url, timeoutMs: 20_000 }, custody)
    }
    desk.answer('silence')
    const first = await restart()
    await endOne(first)
    await vi.waitFor(() => expect(desk.asked).toHaveLength(1))
    await first.kernel.close()
    opened.pop()
    desk.answer(DONE)
    const second = await restart()
    await becomes(second, 'free', { epoch: 3 })
    expect(desk.asked[1]).toEqual(desk.asked[0])
    await second.kernel.close()
    opened.pop()
    await rm(folder, { recursive: true })
  })

  it('that was settled is not asked for a second time', async () => {
    const place = await open('none')
    const lease = await endOne(place)
    await becomes(place, 'free')
    const late = lateKernel()
    late.use(place.kernel)
    const drivers = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: late })
    const body = { cell: CELL, epoch: 2, generation: 1, lease, resource: GPU }
    const action: OutboundAction = { key: 'a/0', kind: 'lease.teardown', body }
    const { signal } = new AbortController()
    expect(await drivers.perform(action, signal)).toEqual({ settled: 'outcome_known' })
    expect(desk.asked).toEqual([])
  })
})

describe('a reset', () => {
  it('that the driver confirms clears the fence; until then it stays', async () => {
    desk.answer(FAILED)
    const place = await open({ url: desk.url })
    await endOne(place)
    await becomes(place, 'fenced')
    const request = () => place.decide('lease.request-reset', { resource: GPU })
    expect(code(await request())).toBe('reset_requested')
    await over(place)
    expect(await place.resource(GPU)).toMatchObject({ epoch: 3, state: 'fenced' })
    desk.answer(DONE)
    await request()
    await becomes(place, 'free', { epoch: 4 })
    expect(desk.asked.at(-1)?.body).toEqual({
      cell: CELL,
      epoch: 3,
      kind: 'lease.reset',
      resource: GPU,
    })
  })

  it('that is asked for twice at a time reaches the driver once: by then somebody may have the resource', async () => {
    desk.answer(FAILED)
    const place = await open({ url: desk.url })
    await endOne(place)
    await becomes(place, 'fenced')
    const late = lateKernel()
    late.use(place.kernel)
    const drivers = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: late })
    const body = { cell: CELL, epoch: 3, resource: GPU }
    const { signal } = new AbortController()
    desk.asked.length = 0
    desk.answer(202, DONE)
    const perform = (key: string) => drivers.perform({ key, kind: 'lease.reset', body }, signal)
    const [first, second] = await Promise.all([perform('a/0'), perform('b/0')])
    expect(first).toMatchObject({ ok: true })
    expect(second).toEqual({ settled: 'not_fenced' })
    expect(desk.asked.map(({ key }) => key)).toEqual(['a/0', 'a/0'])
  })

  it('waits for the teardown before it, unless it is called off', async () => {
    desk.answer('silence')
    const place = await open({ url: desk.url, timeoutMs: 20_000 })
    const late = lateKernel()
    late.use(place.kernel)
    const drivers = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: late })
    const lease = await endOne(place)
    await place.decide('lease.torn-down', { epoch: 2, lease, ok: false, resource: GPU })
    const body = { cell: CELL, epoch: 3, resource: GPU }
    const [one, other] = [new AbortController(), new AbortController()]
    const perform = (key: string, signal: AbortSignal) =>
      drivers.perform({ key, kind: 'lease.reset', body }, signal)
    const hanging = perform('a/0', one.signal)
    await vi.waitFor(() => expect(desk.asked.at(-1)?.key).toBe('a/0'))
    const waiting = perform('b/0', other.signal)
    other.abort(new Error('called off'))
    await expect(waiting).rejects.toThrow('called off')
    one.abort(new Error('the end'))
    await expect(hanging).rejects.toThrow('the end')
    desk.answer(DONE)
    expect(await perform('c/0', new AbortController().signal)).toMatchObject({ ok: true })
  })

  it('of a resource that somebody has by now is not asked for', async () => {
    desk.answer(FAILED)
    const place = await open({ url: desk.url })
    await endOne(place)
    await becomes(place, 'fenced')
    await place.decide('lease.observed', { epoch: 3, resource: GPU, state: 'reset' })
    const late = lateKernel()
    late.use(place.kernel)
    const drivers = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: late })
    const body = { cell: CELL, epoch: 3, resource: GPU }
    const { signal } = new AbortController()
    const outcome = await drivers.perform({ key: 'a/0', kind: 'lease.reset', body }, signal)
    expect(outcome).toEqual({ settled: 'not_fenced' })
    expect(desk.asked).toHaveLength(1)
  })
})

it('what the kernel does not take is tried again later', async () => {
  const place = await leasing({ pair, outbound: [collector()] })
  opened.push(place)
  const refusing = {
    check: async () => ({
      dryRun: true as const,
      allow: false,
      reasons: [{ code: 'frozen', message: '', rule: '' }],
      obligations: [],
    }),
    decide: () => Promise.reject(new Error('never asked')),
  }
  const drivers = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: refusing })
  const body = { cell: CELL, epoch: 2, resource: GPU }
  const performed = drivers.perform(
    { key: 'a/0', kind: 'lease.reset', body },
    new AbortController().signal,
  )
  await expect(performed).rejects.toMatchObject({ code: 'undecided' })
  expect(desk.asked).toEqual([])
})
