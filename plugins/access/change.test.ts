import { describe, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { Payload } from '../../core/request.ts'
import { readChange, type Wanted } from './change.ts'
import { Reader } from './reader.ts'

const ada = { type: 'user', id: 'ada' }
const session = { subject: ada, session: 's1', roles: ['b', 'a'], expires: 1 }

function read(action: string, payload: unknown): Wanted | string {
  const reader = new Reader()
  const request = {
    action,
    payload: Payload.fromJson(payload),
    peer: { kind: 'a', id: 'b' },
    obligations: [],
  }
  const wanted = readChange(request, reader)
  return reader.problem ?? wanted
}

const many = (count: number, members: Json = {}): Json[] =>
  [...Array(count).keys()].map((i) => ({ type: 'user', id: `u${i}`, ...(members as object) }))

describe('a change', () => {
  test('is read into sorted, plain data', () => {
    expect(read('access.open-session', session)).toEqual({
      change: { expires: 1, roles: ['a', 'b'] },
      session: 's1',
      subject: ada,
    })
    const put = read('access.put-subject', {
      subject: { type: 'tool', id: 't1' },
      attributes: { b: 1, a: { d: 1, c: [] } },
      acts_for: ada,
      related: { w: { type: 'workload', id: 'w1' }, a: { type: 'allocation', id: 'a1' } },
    })
    expect(JSON.stringify(put)).toBe(
      '{"change":{"acts_for":{"id":"ada","type":"user"},"attributes":{"a":{"c":[],"d":1},"b":1},"related":{"a":{"id":"a1","type":"allocation"},"w":{"id":"w1","type":"workload"}}},"subject":{"id":"t1","type":"tool"}}',
    )
  })

  test('of many records is read within the limits of a store', () => {
    expect(read('access.import', { subjects: many(500) })).toMatchObject({
      change: { resources: [] },
    })
    expect(read('access.import', { subjects: many(449, { roles: ['a', 'b'] }) })).toHaveProperty(
      'change',
    )
    expect(read('access.import', { subjects: many(450, { roles: ['a', 'b'] }) })).toMatch(
      '/: expected at most 900',
    )
  })

  test.each<readonly [problem: string, action: string, payload: unknown]>([
    ['/: expected an object', 'access.assign', []],
    ['/: expected only role, subject', 'access.assign', { subject: ada, role: 'a', until: 1 }],
    ['/role: expected 1 to 256', 'access.assign', { subject: ada }],
    ['/role: expected 1 to 256', 'access.revoke', { subject: ada, role: 'a\n' }],
    ['/subject/id: expected 1 to 256', 'access.revoke', { subject: { type: 'user' }, role: 'a' }],
    ['/expires: expected whole Unix seconds', 'access.open-session', { ...session, expires: 1.5 }],
    ['/expires: expected whole Unix seconds', 'access.open-session', { ...session, expires: '1' }],
    ['/roles: expected an array', 'access.open-session', { ...session, roles: 'a' }],
    ['/roles: expected each role once', 'access.open-session', { ...session, roles: ['a', 'a'] }],
    ['/roles/0: expected 1 to 256', 'access.open-session', { ...session, roles: [1] }],
    ['/session: expected 1 to 256', 'access.open-session', { ...session, session: '' }],
    ['/session: expected 1 to 256', 'access.close-session', {}],
    ['/: expected only', 'access.put-subject', { subject: ada, atributes: {} }],
    ['/attributes: expected an object', 'access.put-subject', { subject: ada, attributes: [] }],
    [
      '/attributes: expected at most 16384',
      'access.put-subject',
      { subject: ada, attributes: { a: 'x'.repeat(16_384) } },
    ],
    ['/acts_for: expected an object', 'access.put-subject', { subject: ada, acts_for: null }],
    [
      '/acts_for: expected only id, type',
      'access.put-subject',
      { subject: ada, acts_for: { ...ada, x: 1 } },
    ],
    ['/related: expected an object', 'access.put-resource', { resource: ada, related: [] }],
    [
      '/related/0/type: expected 1 to 64',
      'access.put-resource',
      { resource: ada, related: { w: { id: 'a' } } },
    ],
    ['/related: expected 1 to 256', 'access.put-resource', { resource: ada, related: { '': ada } }],
    [
      '/related: expected at most 8',
      'access.put-resource',
      { resource: ada, related: Object.fromEntries([...'abcdefghi'].map((name) => [name, ada])) },
    ],
    ['/: expected only subject', 'access.remove-subject', { subject: ada, force: true }],
    ['/resource: expected an object', 'access.remove-resource', { resource: null }],
    ['/subjects: expected an array of at most 500', 'access.import', { subjects: many(501) }],
    [
      '/: expected at most 500 records',
      'access.import',
      { subjects: many(300), resources: many(201) },
    ],
    ['/subjects/1: expected each record once', 'access.import', { subjects: [ada, ada] }],
    ['/resources/0: expected only', 'access.import', { resources: [{ ...ada, roles: [] }] }],
    ['/subjects/0: expected an object', 'access.import', { subjects: [null] }],
    ['/: expected only resources, subjects', 'access.import', { users: [] }],
  ])('that is malformed is a problem: %s', (problem, action, payload) => {
    expect(read(action, payload)).toMatch(problem)
  })

  test('that nobody declared is broken machinery', () => {
    expect(() => read('access.other', {})).toThrow(TypeError)
  })
})
