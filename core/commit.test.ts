/** Writes where the store does not order at commit: none waits for another one. */
import { expect, test } from 'vitest'
import { systemClock } from '../adapters/clock/system.ts'
import { logWith, storeWith } from '../test/conformance/store/delegate.ts'
import { Waiting } from '../test/conformance/store/waiting.ts'
import { kit, submission } from '../test/kernel/kit.ts'
import type { Batch } from './ports/store.ts'

/** A kernel whose first commit of a decision, once armed, waits for `go`. */
async function slow() {
  const { promise, resolve: go } = Promise.withResolvers<void>()
  const pair = new Waiting().open()
  const groups: number[] = []
  let armed = false
  const commit = async (batches: readonly Batch[]) => {
    groups.push(batches.length)
    if (armed) {
      armed = false
      await promise
    }
    return pair.store.commit(batches)
  }
  const limits = { mergeMs: 20 }
  const made = { store: storeWith(pair.store, { commit }), log: logWith(pair.log, {}) }
  const { kernel } = await kit({ ...made, clock: systemClock, limits })
  const arm = (): void => {
    armed = true
  }
  return { arm, go, groups, kernel }
}

test('a decision is not held up by one that the store takes long for', async () => {
  const { arm, go, groups, kernel } = await slow()
  arm()
  const held = kernel.decide(submission())
  let over = false
  void held.then(() => {
    over = true
  })
  await expect.poll(() => groups.at(-1)).toBe(1)
  const others = await Promise.all([1, 2, 3].map(() => kernel.decide(submission())))
  expect(others.map(({ allow }) => allow)).toEqual([true, true, true])
  expect(groups.every((count) => count === 1)).toBe(true)
  expect(over).toBe(false)
  go()
  expect(await held).toMatchObject({ allow: true, seal: 'durable' })
  await kernel.close()
})

test('closing waits for every write that is under way', async () => {
  const { arm, go, kernel } = await slow()
  arm()
  const held = kernel.decide(submission())
  const other = await kernel.decide(submission())
  const closed = kernel.close()
  setTimeout(go, 50)
  const decision = await held
  await closed
  expect(decision.id).not.toBe(other.id)
})
