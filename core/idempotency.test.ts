/** What idempotency keys leave behind: as much as five minutes of them, however many there were. */
import { afterEach, expect, test, vi } from 'vitest'
import { manualClock } from '../adapters/clock/manual.ts'
import { openMemory } from '../adapters/store/memory/index.ts'
import { Waiting } from '../test/conformance/store/waiting.ts'
import { kit, NOW, submission } from '../test/kernel/kit.ts'
import { IDEMPOTENCY_MS, Idempotency } from './idempotency.ts'
import type { Store } from './ports/store.ts'
import { Payload, type Request } from './request.ts'

afterEach(() => vi.restoreAllMocks())

const request: Request = {
  action: 'note.read',
  payload: Payload.fromJson({}),
  peer: { kind: 'user', id: 'ada' },
  obligations: [],
}

async function bound(idempotency: Idempotency, store: Store, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const claim = await idempotency.claim(request, `k${i}`)
    if ('decided' in claim) throw new Error('it is new')
    await store.commit([{ writes: [claim.bind(i.toString(16).padStart(32, '0'))] }])
  }
}
async function rows(store: Store): Promise<number> {
  let count = 0
  for await (const _row of store.list('#idempotency', '')) count++
  return count
}

test('one sweep removes all that have expired', async () => {
  const { store } = openMemory()
  const clock = manualClock(NOW)
  const idempotency = new Idempotency(store, clock)
  await bound(idempotency, store, 1000)
  await idempotency.sweep()
  expect(await rows(store)).toBe(1000)
  clock.advance(IDEMPOTENCY_MS)
  await idempotency.sweep()
  expect(await rows(store)).toBe(0)
})

test('what a store that failed could not remove goes with a later sweep', async () => {
  const { store } = openMemory()
  const clock = manualClock(NOW)
  const idempotency = new Idempotency(store, clock)
  await bound(idempotency, store, 600)
  clock.advance(IDEMPOTENCY_MS)
  vi.spyOn(store, 'commit').mockRejectedValueOnce(new Error('disk'))
  await expect(idempotency.sweep()).rejects.toThrow('disk')
  await idempotency.sweep()
  expect(await rows(store)).toBe(0)
})

test('where several processes write, a start lists nothing, and what a process left behind goes later', async () => {
  const waiting = new Waiting()
  const [gone, here] = [waiting.open().store, waiting.open().store]
  const clock = manualClock(NOW)
  await bound(new Idempotency(gone, clock), gone, 20)
  const list = vi.spyOn(here, 'list')
  const idempotency = new Idempotency(here, clock)
  await idempotency.open()
  expect(list).not.toHaveBeenCalled()
  clock.advance(IDEMPOTENCY_MS)
  // Its own process may still remove them.
  await idempotency.sweep()
  expect(await rows(gone)).toBe(20)
  await bound(idempotency, here, 1)
  clock.advance(IDEMPOTENCY_MS - 1)
  await idempotency.sweep()
  expect(list).toHaveBeenCalledTimes(1)
  clock.advance(1)
  await idempotency.sweep()
  expect(await rows(gone)).toBe(0)
})

test('a dry run binds no key and looks at none', async () => {
  const { kernel, store } = await kit()
  const get = vi.spyOn(store, 'get')
  await kernel.check({ ...submission(), idempotencyKey: 'k' })
  expect(get.mock.calls.filter(([{ partition }]) => partition === '#idempotency')).toEqual([])
  await kernel.close()
})
