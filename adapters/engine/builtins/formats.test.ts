import { describe, expect, it } from 'vitest'
import { type Call, contextOf, differences } from '../../../test/builtins.ts'
import type { Context } from './builtin.ts'
import { CHANCE } from './chance.ts'

const URIS = [
  'https://example.com',
  'https://user:pw@example.com:8080/a/b?x=1&y#frag',
  'http://[::1]:80/',
  'http://[fe80::1%25en0]:80/',
  'http://[fe80::1%25]:80/',
  'http://[1.2.3.4]/',
  'http://[::ffff:1.2.3.4]/',
  'mailto:a@b',
  '//host/path',
  '///path',
  'http:///path',
  '/a%20b',
  '/a%2fb',
  '/a%2Fb c',
  '/a b',
  'a:b',
  ':a',
  '1a:b',
  'a/b:c',
  'a b',
  '',
  '*',
  '*#f',
  '?q',
  '#f',
  '#%zz',
  '/%zz',
  'http://a%20b/',
  'http://a b/',
  'http://a:b/',
  'http://a:80:90/',
  'x://a:80:90/',
  'x://a:80:b/',
  'http://a:/',
  'http://:80',
  'http://@a/',
  'http://u ser@a/',
  'http://u%zz@a',
  'http://a@b@c/',
  'HTTP://ExAmple.com',
  'http://a/ä',
  'http://a/%C3%A4',
  'http://a/%c3%a4',
  'http://ä/',
  'http://a/?',
  'http://a?x?',
  'http://a/??',
  'http://a/#a#b',
  'http://a/#ä%20',
  "http://a/;,!*'()",
  'http://a/[x]',
  'http://a/{x}',
  'http://a/%5Bx%5D',
  'http://[::1',
  'http://::1]',
  'http://a[::1]',
  'http://[::1]x',
  'http://[::1]:x',
  'git+ssh://h',
  'h.1-+://a',
  'a_b://c',
  'http://a\\b/',
  'http://a^b',
  'http://a|b',
  'http://a`b',
  'http://a{b',
  'http://%41',
  'http://%25',
  'http://a%25b/',
  'data:text/plain,hello',
  'http:path',
  'urn:isbn:1',
  'file:///etc/passwd',
  'http://a/?a b',
  'http://a/?%zz',
  'x:',
  '//',
  '//a',
  '//a@',
  'http://[fe80::1%25e%20n]/',
  'http://a:8\u00e9/',
  'http://[::1]%20',
  '/a?b#c?d',
  'http://h/%2F',
  'http://h/%7e',
  'http://h/~%7E',
  '%41',
  'a%zz:b',
]
const UUIDS = [
  '00000000-0000-0000-0000-000000000000',
  '8c7cd8a6-89c4-11ec-a8a3-0242ac120002',
  'urn:uuid:8c7cd8a6-89c4-11ec-a8a3-0242ac120002',
  'URN:UUID:8c7cd8a6-89c4-11ec-a8a3-0242ac120002',
  '{8c7cd8a6-89c4-11ec-a8a3-0242ac120002}',
  'x8c7cd8a6-89c4-11ec-a8a3-0242ac120002y',
  '8c7cd8a689c411eca8a30242ac120002',
  '000003e8-89c4-21ec-8001-0242ac120002',
  '000003e8-89c4-21ec-e401-0342AC120002',
  'f47ac10b-58cc-0372-8567-0e02b2c3d479',
  '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  'x',
  '',
  '8c7cd8a6-89c4-11ec-a8a3-0242ac12000g',
  '8c7cd8a6-89c4-11ec-c8a3-0142ac120002',
  '8c7cd8a6-89c4-11ec-08a3-0342ac120002',
  'ffffffff-ffff-1fff-ffff-ffffffffffff',
  '00000000-0000-1000-8000-000000000000',
  '000003e8-89c4-21ec-0003-0242ac120002',
  '8c7cd8a6+89c4-11ec-a8a3-0242ac120002',
]
const VERSIONS = [
  '1.2.3',
  'v1.2.3',
  '1.2',
  '1.2.3.4',
  '1.02.3',
  '1.2.3-a',
  '1.2.3-a.b',
  '1.2.3-1',
  '1.2.3-01',
  '1.2.3-0a',
  '1.2.3-a+b',
  '1.2.3+b',
  '1.2.3+',
  '1.2.3-',
  '1.2.3-a..b',
  '9223372036854775807.0.0',
  '9223372036854775808.0.0',
  '',
  'x',
  '1.2.3-A',
  '1.2.3--',
  '1.2.3-a.1',
  '1.2.3-a.1.1',
  'vv1.2.3',
  '1.2.3+a_b',
  '+1.2.3',
  '1.2.3-0',
  '1.2.3+01',
]

function calls(name: string, values: readonly string[]): readonly Call[] {
  return [...values, 3].map((value) => ({ name, operands: [value] }))
}

describe('formats', () => {
  it('of URIs are read as Go reads them', async () => {
    expect(
      await differences([...calls('uri.parse', URIS), ...calls('uri.is_valid', URIS)]),
    ).toEqual([])
  })

  it('of UUIDs tell what OPA tells', async () => {
    expect(await differences(calls('uuid.parse', UUIDS))).toEqual([])
  })

  it('of versions compare as OPA compares', async () => {
    const pairs = VERSIONS.flatMap((a) =>
      VERSIONS.map((b) => ({ name: 'semver.compare', operands: [a, b] })),
    )
    expect(await differences([...calls('semver.is_valid', VERSIONS), ...pairs])).toEqual([])
  }, 60_000)
})

describe('chance', () => {
  it('answers once a name and evaluation, and the same for the same time', () => {
    const at = (now: bigint): Context => ({ ...contextOf(), now })
    const [first, again, later] = [at(1n), at(1n), at(2n)]
    const id = CHANCE['uuid.rfc4122']!(first, 'a')
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(CHANCE['uuid.rfc4122']!(first, 'a')).toBe(id)
    expect(CHANCE['uuid.rfc4122']!(again, 'a')).toBe(id)
    expect(CHANCE['uuid.rfc4122']!(first, 'b')).not.toBe(id)
    expect(CHANCE['uuid.rfc4122']!(later, 'a')).not.toBe(id)
    const dice = Array.from(
      { length: 300 },
      (_, i) => CHANCE['rand.intn']!(first, `d${i}`, -6) as number,
    )
    expect(new Set(dice)).toEqual(new Set([0, 1, 2, 3, 4, 5]))
    expect(CHANCE['rand.intn']!(first, 'x', 0)).toBe(0)
  })
})
