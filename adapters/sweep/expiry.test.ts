/** Leases end when their time is over, whoever forgot them, and no other does. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NoDecision } from '../../core/error.ts'
import type { Decision } from '../../core/kernel.ts'
import { CELL, code, type Leasing, leasing, publicKey, TENANT } from '../../test/lease/kit.ts'
import { settled } from '../../test/lease/steps.ts'
import { compiler } from '../../test/rego.ts'
import { type ExpiryOptions, keepExpiry } from './expiry.ts'
import type { Sweeper } from './sweeping.ts'

const HOUR_MS = 3_600_000
let place: Leasing
let expiry: Sweeper
beforeEach(async () => {
  place = await leasing()
  expiry = keepExpiry({ ...place, everyMs: HOUR_MS })
})
afterEach(async () => {
  await expiry.close()
  await place.kernel.close()
})
afterAll(() => compiler.close())

async function grant(resource: string, ttl: number): Promise<string> {
  await place.decide('lease.add-resource', { cell: CELL, resource })
  const asked = { cell: CELL, nk: publicKey(), resource, tenant: TENANT, ttl }
  const decision = await place.decide('lease.grant', asked)
  expect(code(decision)).toBe('granted')
  return decision.id
}
const state = async (lease: string): Promise<string | undefined> =>
  (await place.lease(lease))?.state

describe('a sweep', () => {
  it('ends what is due, to the second', async () => {
    const leases = [await grant('a', 60), await grant('b', 61), await grant('c', 300)]
    place.clock.advance(59_999)
    expect(await expiry.sweep()).toBe(0)
    place.clock.advance(1)
    expect(await expiry.sweep()).toBe(1)
    expect(await Promise.all(leases.map(state))).toEqual(['expired', 'active', 'active'])
    place.clock.advance(HOUR_MS)
    expect(await expiry.sweep()).toBe(2)
    expect(await expiry.sweep()).toBe(0)
  })

  it('knows nothing of what was freed, and of renewals only the last', async () => {
    const freed = await grant('a', 60)
    const renewed = await grant('b', 60)
    await place.decide('lease.free', { lease: freed })
    place.clock.advance(30_000)
    await place.decide('lease.renew', { generation: 1, lease: renewed, nk: publicKey(), ttl: 60 })
    place.clock.advance(30_000)
    await settled(place)
    const { size } = place.kernel.readiness()
    expect(await expiry.sweep()).toBe(0)
    expect(place.kernel.readiness().size).toBe(size)
    place.clock.advance(30_000)
    expect(await expiry.sweep()).toBe(1)
    expect([await state(freed), await state(renewed)]).toEqual(['freed', 'expired'])
  })

  it('takes any number of them, one at a time each', async () => {
    const leases: string[] = []
    for (let i = 0; i < 70; i++) leases.push(await grant(`gpu-${i}`, 60))
    place.clock.advance(60_000)
    const [first, same] = [expiry.sweep(), expiry.sweep()]
    expect(await first).toBe(70)
    expect(await same).toBe(70)
    expect(new Set(await Promise.all(leases.map(state)))).toEqual(new Set(['expired']))
  })
})

const due = (lease: string): ExpiryOptions['store'] => ({
  async *list() {
    yield { key: { partition: 'lease', sort: `due/000000000001/${lease}` } } as never
  },
})
const LEASE = '0'.repeat(32)

it.each([
  ['a denial', 'no_lease_role'],
  ['no decision', 'overloaded'],
])('%s is told, and tried again with the next interval', async (_, why) => {
  const errors: unknown[] = []
  const denial = { allow: false, reasons: [{ code: why }] } as unknown as Decision
  const kept = keepExpiry({
    ...place,
    kernel: {
      decide: async () => {
        if (why === 'overloaded') throw new NoDecision('overloaded', 'too busy')
        return denial
      },
    },
    store: due(LEASE),
    everyMs: 2,
    onError: (error) => errors.push(error),
  })
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1))
  await kept.close()
  expect(errors[0]).toMatchObject({ code: 'unavailable' })
  expect(String(errors[0])).toContain(why)
})

it('a lease that was renewed since it was listed is no failure', async () => {
  const lease = await grant('a', 60)
  const kept = keepExpiry({ ...place, store: due(lease), everyMs: HOUR_MS })
  expect(await kept.sweep()).toBe(0)
  await kept.close()
})
