import { describe, expect, it } from 'vitest'
import { type Call, contextOf, differences } from '../../../../test/builtins.ts'
import { RegoSet, type Value } from '../../value/value.ts'
import { NET } from './index.ts'

const CIDRS: readonly Value[] = [
  '10.0.0.0/8',
  '10.1.2.3/24',
  '10.1.2.3',
  '0.0.0.0/0',
  '1.2.3.4/32',
  '1.2.3.4/33',
  '1.2.3.4/-1',
  '1.2.3.4/08',
  '01.2.3.4/8',
  '1.2.3/8',
  '::/0',
  '::1/128',
  '::/80',
  '::ffff:1.2.3.0/120',
  '::ffff:1.2.3.4',
  '::ffff:0:0/96',
  '::ffff:0:0/90',
  'fe80::/10',
  'fe80::1%eth0',
  'fe80::1%eth0/64',
  '2001:db8::/32',
  '2001:db8:0:0:0:0:0:1',
  '2001:db8:0:0:0:0:0:1/127',
  '1::2::3',
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7::',
  '1:2:3:4:5:6:7:8::',
  '::1.2.3.4/128',
  '1:2:3:4:5:6:1.2.3.4/120',
  '1:2:3:4:5:6:7:1.2.3.4',
  ':1',
  '1:',
  '',
  '/',
  'x',
  '1.2.3.4/',
  '10.0.0.0/8/8',
  '::1/129',
  '255.255.255.255/31',
  '::/96',
  '::ffff:255.255.255.0/120',
  '12345::/16',
  '1.2.3.4/+8',
  '1.2.3.4/ 8',
  '10.1.0.0/16',
  '11.0.0.0/8',
  4,
]
const MERGED: readonly Value[] = [
  [],
  ['192.0.128.0/24', '192.0.129.0/24'],
  ['1.2.3.4'],
  ['1.2.3.4', '130.0.0.1', '200.1.1.1'],
  ['1.2.3.4', '1.2.3.5/32'],
  ['::1/128'],
  ['::1'],
  ['::/64', '::1:0:0:0:0/64'],
  ['10.0.0.0/8', '10.1.0.0/16'],
  ['10.0.0.1/32', '10.0.0.2/32', '10.0.0.3/32', '10.0.0.4/32', '10.0.0.5/32'],
  ['10.0.0.1/32', '10.0.0.1/32'],
  ['2601:600:8a80:207e:a57d:7567:e2c9:e7b3/128', '192.0.128.0/24', '192.0.129.0/24'],
  ['0.0.0.0/1', '128.0.0.0/1'],
  ['x'],
  ['::/0', '1.2.3.0/24'],
  ['0.0.0.0/0', '1.2.3.0/24'],
  ['10.0.0.0/31', '10.0.0.3/32'],
  ['fe80::/10', 'fe80::1/128'],
  ['2001:db8::/48', '2001:db8:1::/48', '2001:db8:2::/48'],
]
const NAMED: readonly Value[] = [
  '1.1.1.0/24',
  '1.1.1.5',
  ['1.1.1.0/24', '1.1.1.5'],
  [['1.1.1.0/24', 'x'], ['2.0.0.0/8']],
  RegoSet.of(['1.1.1.0/24', '1.1.0.0/16']),
  { a: '1.1.1.1', b: ['1.1.1.0/24'] },
  [],
  [[]],
  [4],
  [[4]],
  {},
  'x',
  ['1.1.1.1/32', 'x'],
]

function pairs(values: readonly Value[]): readonly (readonly [Value, Value])[] {
  return values.flatMap((a) => values.map((b) => [a, b] as const))
}

describe('networks', () => {
  it('are read as OPA does', async () => {
    const calls: Call[] = CIDRS.map((cidr) => ({ name: 'net.cidr_is_valid', operands: [cidr] }))
    for (const cidr of [
      '10.0.0.0/30',
      '::1/126',
      '255.255.255.254/31',
      '::ffff:1.2.3.0/126',
      'x',
      4,
    ])
      calls.push({ name: 'net.cidr_expand', operands: [cidr] })
    expect(await differences(calls)).toEqual([])
  })

  it('contain each other as OPA says', async () => {
    const few = CIDRS.filter((_, i) => i % 2 === 0)
    const calls = pairs(few).flatMap((operands) =>
      ['net.cidr_contains', 'net.cidr_intersects'].map((name) => ({ name, operands })),
    )
    expect(await differences(calls)).toEqual([])
  }, 60_000)

  it('are merged and matched as OPA does', async () => {
    const calls: Call[] = [
      ...MERGED.flatMap((all) => [all, RegoSet.of(all as readonly Value[])]).map((all) => ({
        name: 'net.cidr_merge',
        operands: [all],
      })),
      ...pairs(NAMED).map((operands) => ({ name: 'net.cidr_contains_matches', operands })),
    ]
    expect(await differences(calls)).toEqual([])
  })

  it('cost their addresses before they are written out', () => {
    expect(() => NET['net.cidr_expand']!(contextOf(1000), '10.0.0.0/8')).toThrow(RangeError)
    const context = contextOf()
    expect(NET['net.cidr_expand']!(context, '::/0')).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })
})
