import { describe, expect, test } from 'vitest'
import { schema } from './schema.ts'

describe('an object', () => {
  const point = schema.object(
    { x: schema.integer(), y: schema.integer() },
    { label: schema.string() },
  )
  const nested = schema.object({ at: point })

  test('has what is required, may have what is optional, and nothing else', () => {
    expect(point.problem({ x: 1, y: 2 }, '')).toBeUndefined()
    expect(point.problem({ label: 'here', y: 2, x: 1 }, '')).toBeUndefined()
    for (const value of [{ x: 1 }, { x: 1, y: 2, z: 3 }, { x: 1, y: 2, label: 3 }, [], null, 'x'])
      expect(point.problem(value, '')).toBeTypeOf('string')
  })

  test('has a member only of its own: what it inherits neither counts nor hurts', () => {
    expect(point.problem(Object.create({ x: 1, y: 2 }), '')).toBeTypeOf('string')
    const inherits: object = Object.create({ z: 3 })
    expect(point.problem(Object.assign(inherits, { x: 1, y: 2 }), '')).toBeUndefined()
  })

  test('says where the problem is, as a JSON Pointer', () => {
    expect(nested.problem({ at: { x: 1, y: 'b' } }, '')).toMatch(/^\/at\/y: /)
    expect(nested.problem({ at: { x: 1, y: 2, z: 3 } }, '/facts')).toMatch(/^\/facts\/at\/z: /)
    expect(nested.problem({}, '')).toMatch(/^\/at: /)
  })
})
