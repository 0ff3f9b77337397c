import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import { readAddress, Sources } from './source.ts'

const from = (address: string, ...forwarded: string[]) => ({
  lines: (name: string): readonly string[] => (name === 'x-forwarded-for' ? forwarded : []),
  remote: { address, certificate: undefined },
})

describe('the source of a request', () => {
  test('is the socket, whatever anybody writes, where no proxy is trusted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (forwarded) => {
        expect(new Sources().of(from('192.0.2.7', ...forwarded))).toBe('192.0.2.7')
        const sources = new Sources(['10.0.0.0/8'])
        expect(sources.of(from('192.0.2.7', ...forwarded))).toBe('192.0.2.7')
      }),
    )
  })

  test('is the right-most address that no trusted proxy has', () => {
    const sources = new Sources(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'])
    const of = (...forwarded: string[]): string => sources.of(from('10.1.2.3', ...forwarded))
    expect(of()).toBe('10.1.2.3')
    expect(of('203.0.113.9')).toBe('203.0.113.9')
    expect(of('1.1.1.1, 203.0.113.9')).toBe('203.0.113.9')
    expect(of('1.1.1.1', '203.0.113.9, 192.0.2.1,10.9.9.9')).toBe('203.0.113.9')
    expect(of('203.0.113.9:4711')).toBe('203.0.113.9')
    expect(of('[2a00::7]:4711, 2001:db8::1')).toBe('2a00:0:0:0::/64')
    expect(of('10.5.5.5')).toBe('10.5.5.5')
    expect(of('::ffff:203.0.113.9')).toBe('203.0.113.9')
    expect(sources.of(from('::ffff:10.1.2.3', '203.0.113.9'))).toBe('203.0.113.9')
  })

  test('is the proxy itself where its entry cannot be read', () => {
    const sources = new Sources(['10.0.0.0/8'])
    for (const entry of ['unknown', '', '_hidden', '300.1.1.1', '1.2.3', '[1.2.3.4]', '1.2.3.4:x'])
      expect(sources.of(from('10.1.2.3', `203.0.113.9, ${entry}`))).toBe('10.1.2.3')
  })

  test('is a whole network of IPv6, which one subscriber has', () => {
    const of = (address: string): string => new Sources().of(from(address))
    expect(of('2a00:1:2:3:4:5:6:7')).toBe(of('2a00:1:2:3::9'))
    expect(of('2a00:0001:2:3::9')).toBe(of('2a00:1:2:3:ffff::'))
    expect(of('2a00:1:2:4::9')).not.toBe(of('2a00:1:2:3::9'))
    expect(of('fe80::1%eth0')).toBe(of('fe80::2'))
    expect(of('::1')).toBe('0:0:0:0::/64')
    expect(of('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0::/64')
  })

  test('is one of bounded length, for any header at all', () => {
    const sources = new Sources(['0.0.0.0/0', '::/0'])
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant('x'.repeat(5000)))
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const source = sources.of(from('10.1.2.3', entries.join(',')))
        expect(source).toMatch(/^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]+\/64)$/)
        for (const each of entries) {
          const address = readAddress(each)
          expect(address === undefined || address.length <= 64).toBe(true)
        }
      }),
    )
  })

  test.each(['10.0.0.0/33', '::/129', 'proxy.example', '', '10.0.0.0/', '1.2.3.4/8/8'])(
    '%s is no network that can be trusted',
    async (network) => {
      expect(await refusal(Promise.resolve().then(() => new Sources([network])))).toBe(
        'invalid_options',
      )
    },
  )
})
