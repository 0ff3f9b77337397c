import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KEY_STATES, type KeyState } from '../../../core/ports/custody.ts'
import { limitsOf } from './states.ts'

const states = fc.array(fc.constantFrom<KeyState>(...KEY_STATES), { minLength: 1, maxLength: 8 })

test('Vault lets every active version sign, and as few others as two numbers can say', () => {
  fc.assert(
    fc.property(states, (all) => {
      const { signing, verifying } = limitsOf(all)
      const may = (i: number): boolean => i + 1 >= signing
      for (const [i, state] of all.entries()) {
        if (state === 'active') expect(may(i)).toBe(true)
        if (state === 'active' || state === 'grace') expect(i + 1).toBeGreaterThanOrEqual(verifying)
      }
      const used = all.flatMap((state, i) => (state === 'pre-active' || !may(i) ? [] : [state]))
      expect(used.length === 0 || used[0] === 'active').toBe(true)
      // What Vault takes: at least 1, the lower one first, and at most one version in reserve.
      expect(verifying).toBeGreaterThanOrEqual(1)
      expect(signing).toBeGreaterThanOrEqual(verifying)
      expect(signing).toBeLessThanOrEqual(all.length + 1)
    }),
  )
})

test.each<[string, readonly KeyState[], number, number]>([
  ['a new key', ['pre-active'], 1, 1],
  ['the next version announced', ['active', 'pre-active'], 1, 1],
  ['the older one in grace', ['grace', 'active'], 2, 1],
  ['the older one gone', ['retired', 'active'], 2, 2],
  ['rolled back', ['active', 'grace'], 1, 1],
  ['the only one revoked', ['revoked'], 2, 2],
  ['revoked with the next one announced', ['revoked', 'pre-active'], 2, 2],
])('%s', (_, all, signing, verifying) => {
  expect(limitsOf(all)).toEqual({ signing, verifying })
})
