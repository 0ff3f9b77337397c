/** Every built-in of the host against OPA's own evaluator, on chosen and on generated arguments: the same value, or undefined for both. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { compiler } from '../../../test/rego.ts'
import { HOST_BUILTINS } from './builtins.ts'
import { createWasmEngine } from './engine.ts'

type Args = readonly Json[]
const options = { capabilities: 'compat', entrypoints: ['p/decision'] } as const

/** What both say for each list of arguments: a value in `{}` by its place, or nothing. */
async function both(name: string, cases: readonly Args[]): Promise<[unknown, unknown]> {
  const operands = cases[0]!.map((_, i) => `args[${i}]`).join(', ')
  const rego = `package p\n\ndecision := {sprintf("%d", [i]): value |\n\tsome i, args in input.cases\n\tvalue := ${name}(${operands})\n}\n`
  const sources = { 'p.rego': rego }
  const input = { cases, now: 1_800_000_000 } as unknown as Json
  const policy = await createWasmEngine().load(await compiler.build(sources, options))
  const [expected] = await compiler.evaluate(sources, {
    capabilities: 'compat',
    entrypoint: 'p/decision',
    inputs: [input],
  })
  const said = await policy.evaluate('p/decision', { value: input, text: JSON.stringify(input) })
  await policy.close()
  expect(expected?.problem).toBeUndefined()
  return [said, expected?.value]
}

const one = (...values: readonly Json[]): readonly Args[] => values.map((value) => [value])
const sample = <T>(arbitrary: fc.Arbitrary<T>): readonly T[] =>
  fc.sample(arbitrary, { numRuns: 80, seed: 7 })
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '.', '-', '%', '+', '&', '=', ' ', 'é', '😀'),
})
const digits = fc.integer({ min: 0, max: 120 })

const times = one(
  0,
  -1,
  1_700_000_000_123_456_800,
  1_795_269_327_000_000_000,
  -62_135_596_800_000,
  [1_700_000_000_000_000_000, 'UTC'],
  [1_700_000_000_000_000_000, ''],
  'x',
  1.5,
)
const rfc3339 = [
  ...one(
    '2026-11-21T14:00:00Z',
    '2026-11-21T14:00:00.123456789Z',
    '2026-11-21T14:00:00.1234567891+05:30',
    '2024-02-29T00:00:00-12:00',
    '2023-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21t14:00:00z',
    '2026-11-21 14:00:00Z',
    '1600-01-01T00:00:00Z',
    '2300-01-01T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '',
    7,
  ),
  ...sample(
    fc
      .tuple(digits, digits, digits, digits)
      .map(([a, b, c, d]) => [
        `2026-${String(a % 14).padStart(2, '0')}-${String(b % 34).padStart(2, '0')}T${String(c % 26).padStart(2, '0')}:${String(d % 62).padStart(2, '0')}:00.5+0${a % 9}:${String(c % 62).padStart(2, '0')}`,
      ]),
  ),
]
const durations = one(
  '1h30m',
  '-1.5s',
  '0',
  '1ns',
  '2us',
  '3µs',
  '4ms',
  '1h-1m',
  '.5h',
  '1.',
  '1.s',
  '',
  'h',
  '+2m',
  '999999h',
  '9999999h',
  '1x',
)
const versions = [
  '1.2.3',
  'v1.2.3',
  '1.2',
  '1.2.3-alpha',
  '1.2.3-alpha.1',
  '1.2.3-alpha.beta',
  '1.2.3-2',
  '1.2.3-11',
  '1.2.3+b',
  '01.2.3',
  '1.2.3-01',
  '1.2.3-',
  '9.9.9',
  '',
]
const units = one(
  '10',
  '10K',
  '10k',
  '1.5Ki',
  '100m',
  '1M',
  '2mi',
  '2Mi',
  '3G',
  '4ti',
  '5P',
  '6E',
  '1x',
  '',
  'K',
  '1 K',
  '"10K"',
  '0.001',
  '-3k',
  '1.2.3',
  '.5',
  '1EI',
  '1/3',
)
const bytes = one(
  '10',
  '10KB',
  '1.5kib',
  '1MB',
  '2mi',
  '3Gb',
  '4TiB',
  '1',
  '1.9',
  '"7mb"',
  'mb',
  '',
  '1zb',
  '1 kb',
  '-2k',
)

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const ed = generateKeyPairSync('ed25519')
const b64 = (value: Json | Buffer): string =>
  Buffer.from(Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url')
const pem = (key: typeof rsa.publicKey): string =>
  key.export({ type: 'spki', format: 'pem' }).toString()

function token(header: { alg: string; kid?: string }, payload: Json, secret = 'shh'): string {
  const signed = `${b64({ typ: 'JWT', ...header })}.${b64(payload)}`
  const data = Buffer.from(signed)
  const { alg } = header
  if (alg.startsWith('HS'))
    return `${signed}.${b64(
      createHmac(`sha${alg.slice(2)}`, secret)
        .update(data)
        .digest(),
    )}`
  if (alg === 'EdDSA') return `${signed}.${b64(sign(null, data, ed.privateKey))}`
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('ES'))
    return `${signed}.${b64(sign(hash, data, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }))}`
  const pss = alg.startsWith('PS') ? { padding: 6, saltLength: 32 } : {}
  return `${signed}.${b64(sign(hash, data, { key: rsa.privateKey, ...pss }))}`
}
const claims = {
  iss: 'me',
  aud: 'you',
  exp: 2_000_000_000,
  nbf: 1_000,
  sub: 'a',
  big: 2 ** 63,
}
const hs = token({ alg: 'HS256' }, claims)
const rs = token({ alg: 'RS256' }, claims)
const es = token({ alg: 'ES256', kid: 'k1' }, claims)
const jwks = JSON.stringify({
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k0', alg: 'RS256' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' },
  ],
})
const at = 1_700_000_000_000_000_000
const texts: readonly Args[] = [
  ['a,b', ','],
  ['', ''],
  ['aaa', 'aa'],
  ['a😀a', 'a'],
  ['abc', ''],
  [1, 'a'],
]

const CASES: Readonly<Record<string, readonly Args[]>> = {
  'base64url.encode_no_pad': [...one('', 'a', 'ab', '😀?'), ...sample(fc.tuple(text))],
  'crypto.hmac.equal': [
    ['a', 'a'],
    ['a', 'b'],
    ['a', 'aa'],
    ['', ''],
  ],
  'crypto.hmac.md5': [
    ['a', 'k'],
    ['', ''],
    ['é', '😀'],
  ],
  'crypto.hmac.sha1': [
    ['a', 'k'],
    ['', ''],
    ['é', '😀'],
  ],
  'crypto.hmac.sha256': [
    ['a', 'k'],
    ['', ''],
    ['é', '😀'],
  ],
  'crypto.hmac.sha512': [
    ['a', 'k'],
    ['', ''],
    ['é', '😀'],
  ],
  'crypto.md5': one('', 'a', '😀'),
  'crypto.sha1': one('', 'a', '😀'),
  'crypto.sha256': one('', 'a', '😀', 7),
  'glob.quote_meta': one('', '*.x', 'a{b}[c]?\\d'),
  'hex.decode': one('', '61', '6', 'zz', 'E28082'),
  'hex.encode': one('', 'a', '😀'),
  indexof_n: [...texts, ['abab', 'ab'], ['ab', 'abc']],
  'io.jwt.decode': one(
    hs,
    rs,
    es,
    'a.b.c',
    'x',
    '',
    `${b64([])}.${b64({})}.`,
    `${b64({})}.${b64({})}.`,
  ),
  'io.jwt.decode_verify': [
    [hs, { secret: 'shh', aud: 'you', time: at }],
    [hs, { secret: 'no', aud: 'you', time: at }],
    [hs, { secret: 'shh', time: at }],
    [hs, { secret: 'shh', aud: 'you', iss: 'me', alg: 'HS256', time: at }],
    [hs, { secret: 'shh', aud: 'you', iss: 'other', time: at }],
    [hs, { secret: 'shh', aud: 'you', time: 3 * at }],
    [hs, { secret: 'shh', aud: 'you', time: 1 }],
    [hs, { cert: jwks, aud: 'you', time: at }],
    [es, { cert: jwks, aud: 'you', time: at }],
    [rs, { cert: jwks, aud: 'you', time: at }],
    [rs, { cert: jwks, aud: 'you', alg: 'ES256', time: at }],
    [rs, { cert: pem(rsa.publicKey), aud: 'you', time: at }],
    [rs, { aud: 'you', time: at }],
    [rs, { cert: 'no key', aud: 'you', time: at }],
    [hs, { secret: 'shh', aud: 'you', colour: 'red', time: at }],
    [token({ alg: 'HS256' }, { sub: 'a' }), { secret: 'shh', time: at }],
    ['x', { secret: 'shh', time: at }],
  ],
  ...Object.fromEntries(
    ['HS256', 'HS384', 'HS512'].map((alg) => [
      `io.jwt.verify_${alg.toLowerCase()}`,
      [
        [token({ alg }, claims), 'shh'],
        [token({ alg }, claims), 'other'],
        ['x', 'shh'],
      ],
    ]),
  ),
  ...Object.fromEntries(
    ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [
      `io.jwt.verify_${alg.toLowerCase()}`,
      [
        [token({ alg }, claims), pem(rsa.publicKey)],
        [`${token({ alg }, claims).slice(0, -8)}AAAAAAAA`, pem(rsa.publicKey)],
        ['x', pem(rsa.publicKey)],
      ],
    ]),
  ),
  'io.jwt.verify_rs256': [
    [rs, jwks],
    [rs, pem(rsa.publicKey)],
    [hs, pem(rsa.publicKey)],
    [rs, 'no key'],
  ],
  'io.jwt.verify_es256': [
    [es, jwks],
    [es, pem(ec.publicKey)],
    [`${es.slice(0, -4)}AAAA`, jwks],
    ['x', jwks],
  ],
  'io.jwt.verify_es384': [
    [es, pem(ec.publicKey)],
    ['x', jwks],
  ],
  'io.jwt.verify_es512': [
    [es, pem(ec.publicKey)],
    ['x', jwks],
  ],
  'io.jwt.verify_eddsa': [
    [token({ alg: 'EdDSA' }, claims), pem(ed.publicKey)],
    [es, pem(ed.publicKey)],
  ],
  'json.patch': [
    [{ a: { b: [1, 2] } }, [{ op: 'add', path: '/a/b/1', value: 9 }]],
    [
      { a: { b: [1, 2] } },
      [
        { op: 'remove', path: 'a/b/0' },
        { op: 'add', path: ['a', 'c'], value: null },
      ],
    ],
    [
      { a: 1 },
      [
        { op: 'replace', path: '/a', value: { x: 1 } },
        { op: 'copy', from: '/a', path: '/b' },
      ],
    ],
    [
      { a: 1 },
      [
        { op: 'move', from: '/a', path: '/b' },
        { op: 'test', path: '/b', value: 1 },
      ],
    ],
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]],
    [{ a: 1 }, [{ op: 'remove', path: '/b' }]],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }]],
    [{ a: 1 }, []],
    [{ 'a/b': 1 }, [{ op: 'replace', path: '/a~1b', value: 2 }]],
  ],
  'net.cidr_is_valid': one(
    '10.0.0.0/8',
    '10.0.0.0/33',
    '::1/128',
    'fe80::1%eth0/64',
    '10.0.0.0',
    '',
    '1.2.3/8',
    '010.0.0.1/8',
    '::ffff:1.2.3.4/100',
  ),
  'numbers.range_step': [
    [1, 10, 3],
    [10, 1, 3],
    [1, 1, 1],
    [0, 5, 0],
    [0, 5, -1],
    [1.5, 3, 1],
  ],
  'semver.compare': versions.flatMap((a) => versions.map((b) => [a, b])),
  'semver.is_valid': one(...versions, 7, '99999999999999999999.0.0'),
  'strings.any_prefix_match': [
    ['abc', 'ab'],
    ['abc', ['x', 'a']],
    [['q', 'ab'], 'a'],
    ['abc', []],
    ['', ''],
  ],
  'strings.any_suffix_match': [
    ['abc', 'bc'],
    ['abc', ['x', 'c']],
    [['q', 'ab'], 'b'],
    ['abc', []],
    ['', ''],
  ],
  'strings.count': [...texts, ['banana', 'an'], ['😀😀', '😀']],
  'time.add_date': [
    [at, 1, 2, 3],
    [at, -1, -14, 40],
    [-1, 0, 1, 0],
    [1_706_659_200_000_000_000, 0, 1, 0],
    [at, 500, 0, 0],
    [at, 0.5, 0, 0],
  ],
  'time.clock': times,
  'time.date': times,
  'time.diff': [
    [at, 0],
    [0, at],
    [at, at],
    [1_706_659_200_000_000_000, 1_709_251_199_000_000_000],
    [-1, 1],
    ...sample(
      fc.tuple(fc.integer({ min: -2000, max: 4000 }), fc.integer({ min: -2000, max: 4000 })),
    ).map(([a, b]) => [a * 864_000_512_000_000, b * 864_000_512_000_000]),
  ],
  'time.format': [...times, [[at, 'UTC', 'RFC3339']], [[at + 512, '', 'RFC3339Nano']]],
  'time.parse_duration_ns': durations,
  'time.parse_rfc3339_ns': rfc3339,
  'time.weekday': times,
  'units.parse': units,
  'units.parse_bytes': bytes,
  'urlquery.decode': [...one('a+b', '%C3%A9', '%', '%zz', 'é'), ...sample(fc.tuple(text))],
  'urlquery.decode_object': [
    ...one('a=1&a=2&b', '', '&&', 'a=%', 'a;b=1', '=x'),
    ...sample(fc.tuple(text)),
  ],
  'urlquery.encode': [...one("a b!'()*~-_.", 'é😀'), ...sample(fc.tuple(text))],
  'urlquery.encode_object': one({ b: ['2', '1'], a: 'x y' }, {}, { a: 1 }, { é: '&' }),
  'yaml.is_valid': one('a: 1', 'a: [', '', '- 1\n- b'),
  'yaml.unmarshal': one(
    'a: 1\nb: [x, "y", true, null, 1.5]\n',
    '',
    'a: [',
    '- 1\n- {c: d}',
    'plain',
  ),
}

afterAll(() => compiler.close())

describe("a host built-in says what OPA's evaluator says", () => {
  test.each(Object.entries(CASES))('%s', async (name, cases) => {
    const [said, expected] = await both(name, cases)
    expect(said).toEqual(expected)
    expect(Object.keys(expected as object).length).toBeGreaterThan(0)
  })
})

test('none goes without', () => {
  // The clock is the decision's, and sprintf has its own tests.
  const without = [...HOST_BUILTINS.keys()].filter((name) => !(name in CASES)).sort()
  expect(without).toEqual(['sprintf', 'time.now_ns'])
})

describe('what is not done as OPA does it ends the evaluation', () => {
  test.each([
    ['time.now_ns', []],
    ['time.format', [[at, 'Europe/Berlin']]],
    ['time.format', [[at, 'UTC', 'Jan 2']]],
    ['time.parse_duration_ns', ['1d']],
    ['units.parse', ['1e3']],
    ['yaml.unmarshal', ['a: 2026-11-21']],
    ['io.jwt.decode', [token({ alg: 'HS256', cty: 'JWT' } as { alg: string }, claims)]],
  ] as const)('%s', async (name, args) => {
    const call = `${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`
    const made = await compiler.build({ 'p.rego': `package p\n\ndecision := ${call}\n` }, options)
    const policy = await createWasmEngine().load(made)
    const asked = (): unknown => policy.evaluate('p/decision', { value: {}, text: '{}' })
    expect(asked).toThrow(expect.objectContaining({ code: 'evaluation_failed' }))
    await policy.close()
  })
})

test('a token without a time of its own is compared with the decision’s', async () => {
  const rego = `package p\n\ndecision := io.jwt.decode_verify(input.token, {"secret": "shh", "aud": "you"})[0]\n`
  const policy = await createWasmEngine().load(await compiler.build({ 'p.rego': rego }, options))
  const ask = (now: number): unknown =>
    policy.evaluate('p/decision', { value: {}, text: JSON.stringify({ now, token: hs }) })
  expect([ask(1_999_999_999), ask(2_000_000_000), ask(999)]).toEqual([true, false, false])
  await policy.close()
})
