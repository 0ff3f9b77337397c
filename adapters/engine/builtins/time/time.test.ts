import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Call, callsOf, contextOf, differences } from '../../../../test/builtins.ts'
import { mostly } from '../../../../test/values.ts'
import { integer } from '../../value/number.ts'
import type { Value } from '../../value/value.ts'
import { TIME } from './index.ts'

const instant = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integer)
const layout = fc.constantFrom(
  ...['', 'ANSIC', 'UnixDate', 'RubyDate', 'RFC822', 'RFC822Z', 'RFC850', 'RFC1123', 'RFC1123Z'],
  ...['RFC3339', 'RFC3339Nano', '2006-01-02', 'Mon Jan _2 2006 __2 002', '3:4:5.000 PM', '_2006'],
  ...['03:04:05,999999 pm -07:00:00 Z070000', 'Z07 -07', '06 1 January Monday', '15h', 'Janet'],
  ...['05.0000000000000', '.00 .9', '.99 .5', 'Kitchen', '20060102150405', 'ü2006'],
)
const at = mostly(
  instant,
  fc.tuple(instant, fc.constantFrom('', 'UTC')) as fc.Arbitrary<Value>,
  fc.tuple(instant, fc.constantFrom('', 'UTC'), layout) as fc.Arbitrary<Value>,
  fc.constantFrom<Value>(
    1.5,
    2n ** 63n,
    -(2n ** 63n),
    [],
    ['x'],
    [1, 2],
    [1, 'No/Zone'],
    [1, '', 3],
  ),
)
const count = mostly(
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom<Value>(1.5, 2n ** 70n, 1e6),
)

const DURATIONS = [
  '',
  '0',
  '-0',
  '+0',
  '1h',
  '1h30m',
  '1.5h',
  '-1.5h',
  '.5s',
  '5.s',
  '.s',
  '1',
  '1x',
  '1d',
  '1w2d',
  '1y',
  '1.5d',
  '1d1.5',
  '1d2h30m',
  '-1d',
  '+1w',
  '300y',
  '292y',
  '2562047h47m16.854775807s',
  '2562047h47m16.854775808s',
  '-2562047h47m16.854775808s',
  '1us',
  '1µs',
  '1μs',
  '1d1μs',
  '1d1µs',
  '1.2.3d',
  '1..d',
  'd',
  '1dd',
  '1ms1ns',
  '0.3333333333333333333h',
  '9223372036854775807ns',
  '9223372036854775808ns',
  '1e3s',
  ' 1h',
  '1h ',
  '1H',
  '99999999999999999999h',
  '0.000000000000001y',
  '0.1ns',
  '1.9999ns',
  '1d0',
  'w',
  '0d',
  '1.d',
  '.5d',
  '1h-1m',
  '٣h',
  '0.99999999999999999999999999d',
]
const RFC3339 = [
  '2006-01-02T15:04:05Z',
  '2006-01-02T15:04:05.123456789Z',
  '2006-01-02T15:04:05.1234567891Z',
  '2006-01-02T15:04:05,5Z',
  '2006-01-02T15:04:05+07:00',
  '2006-01-02T15:04:05+24:00',
  '2006-01-02T15:04:05+25:00',
  '2006-01-02T15:04:05-00:60',
  '2006-01-02t15:04:05Z',
  '2006-01-02T15:04:05z',
  '2006-01-02T5:04:05Z',
  '2006-02-29T15:04:05Z',
  '2004-02-29T15:04:05Z',
  '2006-13-02T15:04:05Z',
  '2006-01-32T15:04:05Z',
  '2006-01-02T24:04:05Z',
  '2006-01-02T15:60:05Z',
  '2006-01-02T15:04:60Z',
  '1677-09-21T00:12:43.145224191Z',
  '1677-09-21T00:12:43.145224192Z',
  '2262-04-11T23:47:16.854775807Z',
  '2262-04-11T23:47:16.854775808Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  ' 2006-01-02T15:04:05Z',
  '2006-01-02T15:04:05Z ',
  '2006-01-02T15:04:05',
  '',
  '2006-1-02T15:04:05Z',
  '2006-01-02T15:04:05.Z',
  '2006-01-00T15:04:05Z',
  '1-01-02T15:04:05Z',
  '2006-01-02T15:4:05Z',
]
const PARSED = [
  ['ANSIC', 'Mon Jan  2 15:04:05 2006'],
  ['ANSIC', 'mon JAN 2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['UnixDate', 'Mon Jan  2 15:04:05 CEST 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822', '02 Jan 69 15:04 GMT+3'],
  ['RFC822', '02 Jan 70 15:04 GMT-99'],
  ['RFC822', '02 Jan 70 15:04 +03'],
  ['RFC822', '02 Jan 70 15:04 +24'],
  ['RFC822', '02 Jan 70 15:04 ABCDEF'],
  ['RFC822', '02 Jan 70 15:04 ABCDT'],
  ['RFC822', '02 Jan 70 15:04 ABCDE'],
  ['RFC822', '02 Jan 70 15:04 WITA'],
  ['RFC822', '02 Jan 70 15:04 ChST'],
  ['RFC822', '02 Jan 70 15:04 AB'],
  ['RFC822', '02 Jan 70 15:04 UTC'],
  ['RFC822', '02 Jan 70 15:04 Z'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['2006-01-02', '2006-01-02'],
  ['2006-01-02', '2006-01-02x'],
  ['2006 002', '2006 033'],
  ['2006 002', '2004 366'],
  ['2006 002', '2005 366'],
  ['2006 __2', '2006   3'],
  ['2006 __2', '2006  33'],
  ['2006-01 002', '2006-02 033'],
  ['2006-01 002', '2006-03 033'],
  ['2006 002', '2006 000'],
  ['2004 002', '2004 060'],
  ['3:04PM', '3:04PM'],
  ['3:04PM', '12:04AM'],
  ['3:04PM', '13:04PM'],
  ['3:04PM', '0:04PM'],
  ['3:04pm', '3:04am'],
  ['3:04pm', '3:04AM'],
  ['15:04:05', '10:10:10.5'],
  ['15:04:05.000', '10:10:10.123'],
  ['15:04:05.000', '10:10:10.12'],
  ['15:04:05.000', '10:10:10,123'],
  ['15:04:05.999', '10:10:10'],
  ['15:04:05.999', '10:10:10.123456'],
  ['15:04:05.0000000000', '10:10:10.1234567891'],
  ['Z070000', 'Z'],
  ['Z07:00:00', '+01:02:03'],
  ['Z07', 'Z'],
  ['-07', '+05'],
  ['-070000', '-010203'],
  ['-0700', 'Z'],
  ['-07:00', '+0100'],
  ['Z07:00:00', 'Z'],
  ['Monday', 'friday'],
  ['Jan', 'mAy'],
  ['January', 'May'],
  ['January', 'Mayor'],
  ['_2', ' 3'],
  ['_2', '31'],
  ['_2 Jan', '31 Feb'],
  ['2 Jan', '30 Jan'],
  ['x 2', 'x   2'],
  ['x 2', 'x2'],
  ['x2', 'x 2'],
  ['2006', '06'],
  ['06', '6'],
  ['1', '13'],
  ['01', '1'],
  ['2006', '-006'],
  ['2006', '20a6'],
  ['', ''],
  ['', 'x'],
  ['hello', 'hello'],
  ['02 Jan 06 15:04 MST', '02 Jan 06 15:04 GMT+'],
  ['MST', 'GMT+12x'],
  ['MST', '+1'],
  ['MST', '+123'],
  ['MST', '-0'],
  ['2006 ', '2006'],
  ['2006 ', '2006 '],
  ['05', '07.9'],
  ['5 .00', '7.5 .25'],
  ['2006-01-02 15:04:05.000000', '2020-02-02 02:02:02.000001'],
  ['__2 2006', ' 60 2004'],
  ['002 2006', '060 2004'],
  ['002 2006', '366 2004'],
  ['2006-01-02T15:04:05Z07:00', '2006-01-02T15:04:05-00:00'],
] as const

describe('time', () => {
  it('is read and computed as OPA does', async () => {
    const calls = callsOf(
      {
        'time.format': [at],
        'time.date': [at],
        'time.clock': [at],
        'time.weekday': [at],
        'time.add_date': [at, count, count, count],
        'time.diff': [at, at],
      },
      60,
      1,
    )
    expect(await differences(calls)).toEqual([])
  })

  it('is parsed by all of the layouts of Go', async () => {
    const calls: Call[] = [
      ...DURATIONS.map((text) => ({ name: 'time.parse_duration_ns', operands: [text] })),
      ...RFC3339.map((text) => ({ name: 'time.parse_rfc3339_ns', operands: [text] })),
      ...PARSED.map((operands) => ({ name: 'time.parse_ns', operands: [...operands] })),
      { name: 'time.parse_ns', operands: ['', 3] },
      { name: 'time.parse_rfc3339_ns', operands: [3] },
    ]
    expect(await differences(calls)).toEqual([])
  })

  /** Checked against OPA with a database of zones, which the one in the tests may not have. */
  it.each<[string, readonly Value[], string]>([
    [
      'before summer time',
      [integer(1_743_296_399_000_000_000n), 'Europe/Berlin', 'RFC3339'],
      '2025-03-30T01:59:59+01:00',
    ],
    [
      'after it',
      [integer(1_743_296_400_000_000_000n), 'Europe/Berlin', 'RFC3339'],
      '2025-03-30T03:00:00+02:00',
    ],
    [
      'by half an hour',
      [integer(1_700_000_000_000_000_000n), 'Asia/Kolkata', '-0700 MST'],
      '+0530 IST',
    ],
    [
      'with seconds in the offset',
      [integer(-3_000_000_000_000_000_000n), 'Africa/Monrovia', 'Z07:00:00'],
      '-00:43:08',
    ],
  ])('is shown in a zone: %s', (_name, operand, text) => {
    expect(TIME['time.format']!(contextOf(), operand)).toBe(text)
  })

  it('goes over a gap as Go does', () => {
    // 02:30 on the 29th; on the 30th there is no 02:30 in Berlin.
    const before = 1_743_211_800_000_000_000n
    const moved = TIME['time.add_date']!(contextOf(), [integer(before), 'Europe/Berlin'], 0, 0, 1)
    expect(moved).toBe(integer(before + 86_400_000_000_000n))
  })

  it('is the time of the decision, and an error where there is none', () => {
    const context = contextOf()
    expect(TIME['time.now_ns']!({ ...context, now: 5n })).toBe(5)
    expect(TIME['time.now_ns']!(context)).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })
})
