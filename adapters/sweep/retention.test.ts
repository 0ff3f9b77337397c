/** Openings go when the policy says that they were kept for long enough, and no other. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NoDecision } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Decision } from '../../core/kernel.ts'
import { fsck } from '../../core/log/fsck.ts'
import { verifyReceipt } from '../../core/log/receipt.ts'
import { Payload } from '../../core/request.ts'
import auditData from '../../policies/audit/data.json' with { type: 'json' }
import { Place } from '../../test/composed.ts'
import { compiler } from '../../test/rego.ts'
import type { Composed } from '../compose.ts'
import { EXAMPLE_STATE } from '../config/complete.ts'
import { keepRetention } from './retention.ts'
import type { Sweeper } from './sweeping.ts'

const DAY_MS = 86_400_000
/** `standard` is kept for ten days, denials for two, the audit's own records for ever. */
const RETENTION = {
  ...auditData.retention,
  classes: { audit: {}, denied: { days: 2 }, standard: { days: 10 } },
}

const NOTHING = {
  dryRun: true,
  allow: false,
  reasons: [{ code: 'nothing_to_erase', message: '', rule: 'assay.audit.retention.deny' }],
  obligations: [],
} as const

let place: Place
let server: Composed
let sweeper: Sweeper
beforeEach(async () => {
  place = await Place.make()
  await place.auditWith({ ...auditData, retention: RETENTION })
  server = await place.start(`policies: ./policies\nstate: ${EXAMPLE_STATE}`)
  sweeper = keepRetention(server.kernel, { everyMs: DAY_MS })
})
afterEach(async () => {
  await sweeper.close()
  await place.remove()
})
afterAll(() => compiler.close())

async function evaluate(subject: string): Promise<string> {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })
  return (await server.kernel.decide({ action: 'access.evaluate', payload })).id
}
const isOpen = async (id: string): Promise<boolean> =>
  (await server.kernel.receipt(id))?.openings !== undefined
const operate = (action: string, payload: Json) =>
  server.kernel.decide({ action, payload: Payload.fromJson(payload) })

describe('a sweep', () => {
  it('erases each class at its time, and the log stays sound', async () => {
    const [allowed, denied] = [await evaluate('ada'), await evaluate('eve')]
    expect(await sweeper.sweep()).toBe(0)
    place.clock.advance(2 * DAY_MS)
    const later = await evaluate('eve')
    expect(await sweeper.sweep()).toBe(1)
    expect([await isOpen(allowed), await isOpen(denied), await isOpen(later)]).toEqual([
      true,
      false,
      true,
    ])
    place.clock.advance(8 * DAY_MS)
    await sweeper.sweep()
    expect([await isOpen(allowed), await isOpen(later)]).toEqual([false, false])
    const receipt = await server.kernel.receipt(allowed)
    expect(verifyReceipt(receipt!, server.anchor)).toMatchObject({ ok: true })
    expect(await fsck(server.kernel.log, server.anchor)).toMatchObject({ ok: true })
  })

  it('keeps what a legal hold fits until it is released', async () => {
    const [held, other] = [await evaluate('eve'), await evaluate('mallory')]
    await operate('audit.hold', { name: 'case-7', ids: [held] })
    place.clock.advance(3 * DAY_MS)
    expect(await sweeper.sweep()).toBe(1)
    expect([await isOpen(held), await isOpen(other)]).toEqual([true, false])
    await operate('audit.release', { name: 'case-7' })
    await sweeper.sweep()
    expect(await isOpen(held)).toBe(false)
  })

  it('goes through a log of any length, and says nothing where nothing is due', async () => {
    for (let i = 0; i < 150; i++) await evaluate('eve')
    const size = server.kernel.readiness().size
    expect(await sweeper.sweep()).toBe(0)
    expect(server.kernel.readiness().size).toBe(size)
    place.clock.advance(2 * DAY_MS)
    expect(await sweeper.sweep()).toBe(150)
    expect(await sweeper.sweep()).toBe(0)
  })

  it('is for the kernel to ask for, whoever else says so', async () => {
    await evaluate('eve')
    place.clock.advance(2 * DAY_MS)
    for (const kind of ['anonymous', 'operator', 'bearer']) {
      const peer = { kind, id: 'retention' }
      const payload = Payload.fromJson({ from: '0' })
      const { allow } = await server.kernel.decide({ action: 'audit.expire', payload, peer })
      expect(allow).toBe(false)
    }
  })
})

it('a sweep that fails is tried again with the next interval', async () => {
  let calls = 0
  const errors: unknown[] = []
  const failing = {
    check: () => {
      calls++
      return Promise.reject(new NoDecision('overloaded', 'too busy'))
    },
    decide: () => Promise.reject(new Error('never asked')),
  }
  const kept = keepRetention(failing, { everyMs: 2, onError: (error) => errors.push(error) })
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1))
  await kept.close()
  expect(calls).toBeGreaterThan(1)
  expect(errors[0]).toMatchObject({ code: 'overloaded' })
})

it('a sweep of a long log lets everybody else have their turns', async () => {
  const PAGES = 1000
  let page = 0
  const long = {
    check: async () => ({ ...NOTHING, output: ++page < PAGES ? { next: String(page) } : {} }),
    decide: () => Promise.reject(new Error('nothing is due')),
  }
  const kept = keepRetention(long, { everyMs: DAY_MS })
  let turns = 0
  let sweeping = true
  const turn = (): void => {
    turns++
    if (sweeping) setImmediate(turn)
  }
  setImmediate(turn)
  await kept.sweep()
  sweeping = false
  expect(page).toBe(PAGES)
  expect(turns).toBeGreaterThan(PAGES / 2)
  await kept.close()
})

it.each(['check', 'decide'] as const)(
  'a %s that the kernel denied is no end of a log',
  async (on) => {
    const denied = { ...NOTHING, reasons: [{ code: 'kernel/too_large', message: '', rule: '' }] }
    const due = { ...NOTHING, allow: true, output: { erased: 1 } }
    const failing = {
      check: async () => (on === 'check' ? denied : due),
      decide: async () => denied as unknown as Decision,
    }
    const kept = keepRetention(failing, { everyMs: DAY_MS })
    await expect(kept.sweep()).rejects.toMatchObject({ code: 'unavailable' })
    await kept.close()
  },
)
