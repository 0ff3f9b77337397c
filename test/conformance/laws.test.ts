import { expect, test } from 'vitest'
import { StoreError } from '../../core/error.ts'
import { breaks, collectLaws, isRequired, type Law, refusal, registerLaws } from './laws.ts'

const holds: Law<object> = { name: 'holds', run: async () => undefined }
const fails: Law<object> = { name: 'fails', run: () => Promise.reject(new Error('broken')) }

test('an exception has to be one: a law that holds is refused', async () => {
  await breaks(fails, {})
  await expect(breaks(holds, {})).rejects.toThrow()
})

test('a refusal is a typed error, and nothing else', async () => {
  expect(await refusal(Promise.reject(new StoreError('x', 'full', 'y')))).toBe('full')
  await expect(refusal(Promise.reject(new RangeError('x')))).rejects.toThrow(RangeError)
  await expect(refusal(Promise.resolve('x'))).rejects.toThrow()
})

test('backends are required one by one or all together', () => {
  expect(['all', 'store/a', 'store/b,store/a'].map((list) => isRequired('store/a', list))).toEqual([
    true,
    true,
    true,
  ])
  expect(['', 'store', 'store/ab'].map((list) => isRequired('store/a', list))).toEqual([
    false,
    false,
    false,
  ])
})

test('what registers while it is collected does not run', async () => {
  const subject = { name: 'store/none' }
  const collected = await collectLaws(async () => registerLaws('store', [holds, fails], subject))
  expect(collected).toEqual([{ title: 'store', laws: ['holds', 'fails'], subject }])
  await expect(collectLaws(() => Promise.reject(new Error('broken')))).rejects.toThrow()
  expect(await collectLaws(async () => undefined)).toEqual([])
})
