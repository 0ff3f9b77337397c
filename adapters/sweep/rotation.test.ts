/** A key that nobody looks after is rotated, activated once its verifiers know it, and retired, each when it is due. */
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { compiler } from '../../test/rego.ts'
import { keyFolder } from '../../test/signer/folder.ts'
import { begin, type Signing, signing, TASK } from '../../test/signer/kit.ts'
import { keepRotation } from './rotation.ts'
import type { Sweeper } from './sweeping.ts'

afterAll(() => compiler.close())

const HOUR_MS = 3_600_000
const NODE = { id: 'node-7', kind: 'node' }
let place: Signing
let rotation: Sweeper
beforeEach(async () => {
  place = await signing({ custody: await keyFolder() })
  rotation = keepRotation({ ...place, everyMs: 24 * HOUR_MS })
  onTestFinished(async () => {
    await rotation.close()
    await place.kernel.close()
  })
  await begin(place)
})
const states = async () => (await place.key()).versions.map(({ state }) => state)

test('a key has a life of its own', async () => {
  await place.decide('signer.schedule', {
    ...TASK,
    auto: true,
    grace_for: 600,
    rotate_after: 7200,
  })
  await place.decide('signer.register', { ...TASK, peer: NODE, verifier: 'node-7' })
  place.clock.advance(2 * HOUR_MS - 1000)
  const { size } = place.kernel.readiness()
  expect(await rotation.sweep()).toBe(0)
  expect(place.kernel.readiness().size).toBe(size)
  place.clock.advance(1000)
  expect(await rotation.sweep()).toBe(1)
  await place.settled()
  expect(await states()).toEqual(['active', 'pre-active'])
  expect(await rotation.sweep()).toBe(0)
  await place.ask('signer.acknowledge', { ...TASK, verifier: 'node-7', version: 2 }, NODE)
  expect(await rotation.sweep()).toBe(1)
  await expect.poll(states).toEqual(['grace', 'active'])
  place.clock.advance(600_000)
  await place.settled()
  expect(await rotation.sweep()).toBe(1)
  expect(await states()).toEqual(['retired', 'active'])
  expect(await rotation.sweep()).toBe(0)
})

test('what nobody can decide is told, and tried again', async () => {
  const kept = keepRotation({
    ...place,
    clock: { now: () => (place.clock.now() + 10_000 * HOUR_MS) as never },
    everyMs: 24 * HOUR_MS,
    kernel: {
      check: async () => ({ allow: false, reasons: [{ code: 'kernel/no_policy' }] }) as never,
      decide: (...asked) => place.kernel.decide(...asked),
    },
  })
  await expect(kept.sweep()).rejects.toMatchObject({ code: 'unavailable' })
  await kept.close()
})
