/** What a policy holds of the data that it is given. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { bundle } from '../../../test/rego.ts'
import { writeJson } from '../value/json.ts'
import { copied } from './data.ts'
import { createJitEngine } from './index.ts'

const ENTRY = 'p/decision'
const ASK = { value: {}, text: '{}' }

async function loadWith(data: Json, takesData: boolean) {
  const made = await bundle('decision := data.x')
  return createJitEngine({ takesData }).load({ ...made, data })
}

describe('what the caller changes afterwards', () => {
  test('reaches no data that were copied', async () => {
    const data = { x: [{ a: 1 }] }
    const policy = await loadWith(data, false)
    data.x[0]!.a = 2
    expect(policy.evaluate(ENTRY, ASK)).toEqual([{ a: 1 }])
  })

  test('and what is patched reaches no data of the caller', async () => {
    const data = { x: [{ a: 1 }] }
    const policy = await loadWith(data, false)
    const next = await policy.patch([{ op: 'replace', path: '/x/0/a', value: 3 }], 'next')
    expect(next.evaluate(ENTRY, ASK)).toEqual([{ a: 3 }])
    expect(data).toEqual({ x: [{ a: 1 }] })
  })

  test('data that were taken are used as they are', async () => {
    const data = { x: [{ a: 1 }] }
    const policy = await loadWith(data, true)
    await policy.patch([{ op: 'replace', path: '/x/0/a', value: 3 }], 'next')
    expect(data).toEqual({ x: [{ a: 3 }] })
    expect(policy.evaluate(ENTRY, ASK)).toEqual([{ a: 1 }])
  })
})

for (const takesData of [false, true])
  test(`numbers are exact, and what is no JSON is refused (taken: ${takesData})`, async () => {
    const large = await loadWith({ x: [2 ** 60, -0, 1.5] }, takesData)
    const [, zero, half] = large.evaluate(ENTRY, ASK) as number[]
    expect([Object.is(zero, 0), half]).toEqual([true, 1.5])
    const compared = await bundle('decision := data.x[0] + 1 == 1152921504606847001')
    const exact = await createJitEngine({ takesData }).load({ ...compared, data: { x: [2 ** 60] } })
    expect(exact.evaluate(ENTRY, ASK)).toBe(true)
    for (const x of [Number.NaN, undefined, () => 1, 1n, Symbol('s'), new Array(2)])
      await expect(loadWith({ x } as unknown as Json, takesData)).rejects.toMatchObject({
        code: 'invalid_bundle',
      })
  })

test('a copy is what it was made of, and holds none of it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const copy = copied(value)
      expect(JSON.parse(writeJson(copy))).toEqual(JSON.parse(JSON.stringify(value)))
      if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value)
    }),
  )
  const many = Array.from({ length: 300_000 }, (_, i) => [i])
  const copy = copied(many) as number[][]
  many[7]![0] = -1
  expect(copy[7]).toEqual([7])
  expect(copy).toHaveLength(300_000)
})
