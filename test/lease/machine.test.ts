/** The state machine of leases: the table of docs/lease.md, cell by cell, and random lives of several resources, one by one and at once. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMemory } from '../../adapters/store/memory/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { compiler } from '../rego.ts'
import { leasing } from './kit.ts'
import type { Asked, Model } from './model.ts'
import { readTable, SITUATIONS, type Situation } from './table.ts'
import { ask, World } from './world.ts'

const table = readTable()
const TTL = 30

afterAll(() => compiler.close())

describe('the table', () => {
  let world: World
  beforeAll(async () => {
    world = new World(await leasing(), table)
  })
  afterAll(() => world.place.kernel.close())

  /** A lease from its grant to the report on its teardown. */
  async function pastLease(resource: string, verb: 'expire' | 'free' | 'revoke'): Promise<void> {
    await world.perform(resource, ask.grant(resource, TTL))
    if (verb === 'expire') world.place.clock.advance(TTL * 1000)
    await world.perform(resource, ask.end(verb, world.model(resource).active?.lease ?? ''))
    const { epoch, lease } = last(world.model(resource))
    await world.perform(resource, ask.report(resource, lease, epoch, true))
  }

  async function reach(resource: string, situation: Situation, row: string): Promise<void> {
    if (situation === 'new') return
    await world.perform(resource, ask.add(resource))
    const past = row.includes('expired') ? 'expire' : row.includes('revoked') ? 'revoke' : 'free'
    await pastLease(resource, past)
    if (situation === 'free') return
    await world.perform(resource, ask.grant(resource, TTL))
    if (situation === 'leased') return
    if (situation === 'overdue') return world.place.clock.advance(TTL * 1000)
    await world.perform(resource, ask.end('free', world.model(resource).active?.lease ?? ''))
    if (situation === 'tearing_down') return
    const { epoch, lease } = last(world.model(resource))
    await world.perform(resource, ask.report(resource, lease, epoch, false))
  }

  const cells = [...table].flatMap(([row, situations]) =>
    [...situations.keys()].map((situation) => [row, situation] as const),
  )
  test.each(cells)('%s: %s', async (row, situation) => {
    const resource = `${row}/${situation}`.replaceAll(/[ ,]/g, '-')
    await reach(resource, situation, row)
    const model = world.model(resource)
    expect(model.situation(world.place.now())).toBe(situation)
    const request = requestFor(row, resource, model)
    expect(model.row(request)).toBe(row)
    await world.perform(resource, request)
  })

  test('has every situation, and none of its rows is empty', () => {
    expect(new Set(cells.map(([, situation]) => situation))).toEqual(new Set(SITUATIONS))
    expect(cells.length).toBeGreaterThan(60)
    for (const situations of table.values()) expect(situations.size).toBeGreaterThan(0)
  })

  test('leaves its traces in the log and nowhere else', async () => {
    await world.checkRecords()
    await world.checkLog()
  })
})

const last = (model: Model) => {
  const ended = model.ended.at(-1)
  if (ended === undefined) throw new Error('no lease has ended')
  return ended
}

/** The request that a row is about. */
function requestFor(row: string, resource: string, model: Model): Asked {
  const active = model.active?.lease ?? ''
  const generation = model.active?.generation ?? 1
  const [past = { lease: '', epoch: 0 }] = model.ended
  const requests: Readonly<Record<string, () => Asked>> = {
    'add the resource': () => ask.add(resource),
    'grant a lease': () => ask.grant(resource, TTL),
    'renew the lease': () => ask.renew(active, generation, TTL),
    'renew with another generation': () => ask.renew(active, generation + 1, TTL),
    'free the lease': () => ask.end('free', active),
    'revoke the lease': () => ask.end('revoke', active),
    'expire the lease': () => ask.end('expire', active),
    'end a lease that has ended': () => ask.end('revoke', past.lease),
    'renew a lease that was freed': () => ask.renew(past.lease, 1, TTL),
    'renew a lease that was revoked': () => ask.renew(past.lease, 1, TTL),
    'renew a lease that has expired': () => ask.renew(past.lease, 1, TTL),
    'report on a lease that has not ended': () => ask.report(resource, active, model.epoch, true),
    'report the teardown as done': () => ask.report(resource, last(model).lease, model.epoch, true),
    'report the teardown as failed': () =>
      ask.report(resource, last(model).lease, model.epoch, false),
    'report on another epoch': () => ask.report(resource, past.lease, past.epoch + 1, true),
    'report the same again': () => ask.report(resource, past.lease, past.epoch, true),
    'report the opposite': () => ask.report(resource, past.lease, past.epoch, false),
    'request a reset': () => ask.requestReset(resource),
    'observe a reset since the fence': () => ask.observe(resource, model.epoch),
    'observe a reset in another epoch': () => ask.observe(resource, model.epoch + 1),
  }
  const request = requests[row]
  if (request === undefined) throw new Error(`no request for: ${row}`)
  return request()
}

/** Something to do; `pick` chooses among what there is by then. */
interface Step {
  readonly verb: keyof typeof steps | 'wait'
  readonly resource: string
  readonly pick: number
  readonly ok: boolean
  readonly off: number
  readonly ttl: number
}
const RESOURCES = ['gpu-0', 'gpu-1', 'disk/a']

const leasesOf = (model: Model): readonly string[] => [
  ...(model.active ? [model.active.lease] : []),
  ...model.ended.map(({ lease }) => lease).reverse(),
]
const picked = <T>(items: readonly T[], pick: number): T | undefined => items[pick % items.length]

const steps = {
  add: ({ resource }: Step): Asked => ask.add(resource),
  grant: ({ resource, ttl }: Step): Asked => ask.grant(resource, ttl),
  renew: ({ off, pick, ttl }: Step, model: Model): Asked | undefined => {
    const lease = picked(leasesOf(model), pick % 2)
    return lease === undefined
      ? undefined
      : ask.renew(lease, Math.max(0, (model.active?.generation ?? 1) + off), ttl)
  },
  free: (step: Step, model: Model): Asked | undefined => ending('free', step, model),
  revoke: (step: Step, model: Model): Asked | undefined => ending('revoke', step, model),
  expire: (step: Step, model: Model): Asked | undefined => ending('expire', step, model),
  report: ({ off, ok, pick, resource }: Step, model: Model): Asked | undefined => {
    const lease = picked(leasesOf(model), pick % 3)
    const ended = model.ended.find((one) => one.lease === lease)
    const epoch = Math.max(0, (ended?.epoch ?? model.epoch) + off)
    return lease === undefined ? undefined : ask.report(resource, lease, epoch, ok)
  },
  reset: ({ resource }: Step): Asked => ask.requestReset(resource),
  observe: ({ off, resource }: Step, model: Model): Asked =>
    ask.observe(resource, Math.max(0, model.epoch + off)),
}

function ending(
  verb: 'expire' | 'free' | 'revoke',
  { pick }: Step,
  model: Model,
): Asked | undefined {
  const lease = picked(leasesOf(model), pick % 2)
  return lease === undefined ? undefined : ask.end(verb, lease)
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom(
    ...(['grant', 'grant', 'grant', 'renew', 'free', 'revoke', 'expire', 'expire'] as const),
    ...(['report', 'report', 'report', 'reset', 'observe', 'observe', 'add', 'wait'] as const),
  ),
  resource: fc.constantFrom(...RESOURCES),
  pick: fc.nat(5),
  ok: fc.boolean(),
  off: fc.constantFrom(0, 0, 0, 0, 1, -1),
  ttl: fc.integer({ min: 1, max: 40 }),
})

async function inWorld(
  run: (world: World) => Promise<void>,
  pair: ReturnType<typeof openMemory> = openMemory(),
): Promise<void> {
  const world = new World(await leasing({ pair }), table)
  try {
    for (const resource of RESOURCES.slice(0, 2)) await world.perform(resource, ask.add(resource))
    await run(world)
    await world.checkRecords()
    await world.checkLog()
  } finally {
    await world.place.kernel.close()
  }
}

async function oneByOne(world: World, life: readonly Step[]): Promise<void> {
  for (const one of life) {
    if (one.verb === 'wait') world.place.clock.advance(one.ttl * 500)
    else {
      const asked = steps[one.verb](one, world.model(one.resource))
      if (asked) await world.perform(one.resource, asked)
    }
  }
}

async function atOnce(world: World, batches: readonly (readonly Step[])[]): Promise<void> {
  for (const batch of batches) {
    const requests = batch.flatMap((one) => {
      if (one.verb === 'wait') return []
      const asked = steps[one.verb](one, world.model(one.resource))
      return asked ? [[one.resource, asked] as const] : []
    })
    await world.together(requests)
    world.place.clock.advance(4000)
  }
}

describe('any life of several resources', () => {
  const life = fc.array(step, { minLength: 20, maxLength: 80 })

  test('is what the table says, step by step', { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(life, (found) => inWorld((world) => oneByOne(world, found)))
    await fc.assert(property, { numRuns: 60 })
  })

  test('on a disk too', { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(life, async (found) => {
      const folder = await mkdtemp(join(tmpdir(), 'assay-lease-'))
      const pair = await openSqlite({ path: join(folder, 'assay.db') })
      await inWorld((world) => oneByOne(world, found), pair)
      await rm(folder, { recursive: true })
    })
    await fc.assert(property, { numRuns: 8 })
  })

  test('with many asking at once is one of the orders of what they asked', {
    timeout: 300_000,
  }, async () => {
    const batches = fc.array(fc.array(step, { minLength: 2, maxLength: 6 }), {
      minLength: 4,
      maxLength: 16,
    })
    const property = fc.asyncProperty(batches, (found) => inWorld((world) => atOnce(world, found)))
    await fc.assert(property, { numRuns: 40 })
  })
})
