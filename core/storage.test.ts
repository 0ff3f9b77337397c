import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import type { Write } from './ports/store.ts'
import { batchError } from './storage.ts'

const part = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const write: fc.Arbitrary<Write> = fc
  .tuple(part, part, fc.nat(2))
  .map(([partition, sort, kind]): Write => {
    const key = { partition, sort }
    if (kind === 0) return { put: key, value: new Uint8Array(), if: 'absent' }
    return kind === 1 ? { remove: key, if: '1' } : { check: key, if: '1' }
  })

test('a key stands at most once in a batch, be the batch small or large', () => {
  const { store } = openMemory()
  const sizes = { minLength: 0, maxLength: 30 }
  const addresses = new Set<string>()
  fc.assert(
    fc.property(fc.array(write, sizes), fc.boolean(), (writes, once) => {
      addresses.clear()
      const chosen = writes.filter((each) => {
        const { partition, sort } =
          'put' in each ? each.put : 'remove' in each ? each.remove : each.check
        const known = addresses.has(partition + sort)
        addresses.add(partition + sort)
        return !once || !known
      })
      const code = chosen.length > addresses.size ? 'duplicate_key' : undefined
      expect(batchError(store, { writes: chosen })?.code).toBe(code)
    }),
    { numRuns: 500 },
  )
})
