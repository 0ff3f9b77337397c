/** A policy that cannot be let go of is nobody's failure. */
import { afterEach, expect, test, vi } from 'vitest'
import { ALLOW, bundle, functionEngine, kit, submission } from '../test/kernel/kit.ts'
import { MAX_TIMEOUT_MS } from './deadline.ts'
import type { Engine } from './ports/engine.ts'

afterEach(() => vi.useRealTimers())

const close = vi.fn(() => Promise.reject(new Error('its worker is gone')))
const engine: Engine = {
  name: 'stuck',
  load: async (loaded) => ({ ...(await functionEngine(() => ALLOW).load(loaded)), close }),
}

test('the one before is closed later, and what comes of that ends nothing', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const { kernel } = await kit({ engine })
  await kernel.activate(bundle('b'))
  expect(close).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(MAX_TIMEOUT_MS)
  expect(close).toHaveBeenCalledTimes(1)
  expect((await kernel.decide(submission())).allow).toBe(true)
})

test('the store is closed whatever comes of closing the policies', async () => {
  const { kernel, store } = await kit({ engine })
  await kernel.shadow(bundle('b'))
  const closed = vi.spyOn(store, 'close')
  await kernel.close()
  expect(closed).toHaveBeenCalled()
})
