import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignmentKey, membersKey, rangesOf, resourceKey, sessionKey, subjectKey } from './keys.ts'
import { isName } from './reader.ts'
import { MAX_TYPE, type Ref } from './schema.ts'

const bytes = (text: string): number => new TextEncoder().encode(text).length
const name = (max: number) =>
  fc
    .oneof(
      fc.string({ minLength: 1, maxLength: max, unit: 'binary' }),
      fc.string({
        minLength: 1,
        maxLength: 6,
        unit: fc.constantFrom('/', '%', '2', 'F', '5', 'a', '#', '\n'),
      }),
    )
    .filter((text) => isName(text, max))
const ref: fc.Arbitrary<Ref> = fc.record({ id: name(256), type: name(MAX_TYPE) })

describe('keys', () => {
  test('say what they are', () => {
    const ada = { id: 'ada', type: 'user' }
    expect(subjectKey(ada)).toBe('subject/user/ada')
    expect(resourceKey(ada)).toBe('resource/user/ada')
    expect(assignmentKey(ada)).toBe('assignment/user/ada')
    expect(membersKey('chief')).toBe('members/role/chief')
    expect(sessionKey('s1')).toBe('session/id/s1')
  })

  test('differ for different pairs', () => {
    fc.assert(
      fc.property(ref, ref, (a, b) => {
        const same = a.id === b.id && a.type === b.type
        expect(subjectKey(a) === subjectKey(b)).toBe(same)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    [
      { type: 'a', id: 'b/c' },
      { type: 'a/b', id: 'c' },
    ],
    [
      { type: 'a', id: '/' },
      { type: 'a', id: '%2F' },
    ],
    [
      { type: 'a', id: '%2F' },
      { type: 'a', id: '%252F' },
    ],
    [
      { type: 'a/', id: 'b' },
      { type: 'a', id: '/b' },
    ],
    [
      { type: 'a', id: 'é' },
      { type: 'a', id: 'e\u0301' },
    ],
    [
      { type: 'a', id: 'x'.repeat(256) },
      { type: 'a', id: 'x'.repeat(255) },
    ],
    [
      { type: 'a', id: '\uffee'.repeat(256) },
      { type: 'a', id: '\uffee'.repeat(255) },
    ],
    [
      { type: '\uffee'.repeat(10), id: '\uffee'.repeat(250) },
      { type: '\uffee'.repeat(11), id: '\uffee'.repeat(249) },
    ],
  ])('differ for the near miss %#', (a, b) => {
    expect(subjectKey(a)).not.toBe(subjectKey(b))
  })

  test('of the longest names fit the store', () => {
    for (const unit of ['x', 'é', '\uffee', '/', '%']) {
      const longest = { id: unit.repeat(256), type: unit.repeat(MAX_TYPE) }
      expect(bytes(assignmentKey(longest))).toBeLessThanOrEqual(512)
      expect(bytes(sessionKey(longest.id))).toBeLessThanOrEqual(512)
    }
  })

  test('of a long pair cannot be written as a short one', () => {
    const long = subjectKey({ id: '\uffee'.repeat(256), type: 'user' })
    expect(long).toMatch(/^subject~\/[\w-]{43}\/[\w-]{43}$/)
    fc.assert(
      fc.property(ref, (short) => {
        const hashed = subjectKey(short).startsWith('subject~')
        expect(hashed ? bytes(short.id + short.type) > 130 : true).toBe(true)
      }),
    )
  })

  test('of one type lie in two ranges, and of no other there', () => {
    fc.assert(
      fc.property(ref, ref, (a, b) => {
        const ranges = rangesOf('resource', a.type)
        const within = (key: string): boolean => ranges.some((range) => key.startsWith(range))
        expect(within(resourceKey(a))).toBe(true)
        expect(within(resourceKey(b))).toBe(a.type === b.type)
        expect(ranges.toSorted()).toEqual(ranges)
      }),
      { numRuns: 500 },
    )
  })
})
