/** DSSE envelopes against the specification's own vector, and against whoever bends them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../core/crypto.ts'
import { Platform } from '../../test/task/platform.ts'
import { verifyKeyOf } from '../task/index.ts'
import {
  createEnvelope,
  type EnvelopeJson,
  MAX_SIGNATURES,
  openEnvelope,
  pae,
  parseEnvelope,
  signedEnvelope,
  verifyEnvelope,
} from './index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const platform = new Platform()
const [a, b] = [platform.key('a'), platform.key('b')]
const keys = [a, b].map(({ kid, x }) => ({ key: verifyKeyOf(x)!, kid }))
const TYPE = 'http://example.com/HelloWorld'
const payload = bytes('hello world')
const sig = (key = a): Uint8Array => key.sign(pae(TYPE, payload))
const plain: EnvelopeJson = createEnvelope({
  payload,
  payloadType: TYPE,
  signatures: [{ keyid: a.kid, sig: sig() }],
})

test('what is signed is the vector of the specification', () => {
  expect(toHex(pae(TYPE, payload))).toBe(
    toHex(bytes('DSSEv1 29 http://example.com/HelloWorld 11 hello world')),
  )
})

test('no two envelopes are signed alike', () => {
  const part = fc.tuple(fc.string({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }))
  fc.assert(
    fc.property(part, part, ([type, one], [otherType, other]) => {
      const same = type === otherType && toHex(one) === toHex(other)
      expect(toHex(pae(type, one)) === toHex(pae(otherType, other))).toBe(same)
    }),
  )
})

test('whatever is created is opened again, in either alphabet', () => {
  const signature = fc.record({ keyid: fc.string({ maxLength: 20 }), sig: fc.uint8Array() })
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
      fc.uint8Array(),
      fc.array(signature, { maxLength: MAX_SIGNATURES }),
      (payloadType, content, signatures) => {
        const envelope = { payload: content, payloadType, signatures }
        const json = createEnvelope(envelope)
        const urlSafe = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_')
        const other = {
          ...json,
          payload: urlSafe(json.payload),
          signatures: json.signatures.map((one) => ({
            ...one,
            sig: urlSafe(one.sig).replace(/=+$/, ''),
          })),
        }
        for (const each of [json, other])
          expect(parseEnvelope(JSON.stringify(each))).toEqual(
            expect.objectContaining({
              payloadType,
              signatures: signatures.length === 0 ? [] : expect.anything(),
            }),
          )
        expect(Array.from(openEnvelope(other)?.payload ?? [])).toEqual(Array.from(content))
      },
    ),
  )
})

describe('an envelope is not opened', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['without a payload', { ...plain, payload: undefined }],
    ['with another type of payload', { ...plain, payload: 7 }],
    ['with something that is not base64', { ...plain, payload: '!' }],
    ['with both alphabets in one text', { ...plain, payload: '+-AA' }],
    ['with bits that no bytes have', { ...plain, payload: 'AB==' }],
    ['without a type', { ...plain, payloadType: '' }],
    ['without signatures', { ...plain, signatures: undefined }],
    ['with a signature that is none', { ...plain, signatures: [{ keyid: 'a' }] }],
    ['with a name that is none', { ...plain, signatures: [{ keyid: 7, sig: '' }] }],
    ['with too many signatures', { ...plain, signatures: Array(17).fill(plain.signatures[0]) }],
    ['that is a list', [plain]],
    ['that is nothing', null],
  ]
  test.each(wrong)('%s', (_, value) => {
    expect(parseEnvelope(JSON.stringify(value))).toBeUndefined()
  })

  test('with a member twice, or beyond its bounds', () => {
    const text = JSON.stringify(plain)
    expect(parseEnvelope(text.replace('{', '{"payload":"",'))).toBeUndefined()
    expect(parseEnvelope(text, { maxBytes: text.length })).toBeDefined()
    expect(parseEnvelope(text, { maxBytes: text.length - 1 })).toBeUndefined()
    expect(parseEnvelope(`${'['.repeat(40)}${']'.repeat(40)}`)).toBeUndefined()
  })
})

test('members that nobody signs are not looked at', () => {
  expect(openEnvelope({ ...plain, comment: ['anything'] })).toEqual(openEnvelope({ ...plain }))
})

describe('signatures', () => {
  const checked = (json: EnvelopeJson): readonly string[] =>
    verifyEnvelope(openEnvelope({ ...json })!, keys).map(({ check }) => check)

  test('hold for the key that is named, or for any where none is', () => {
    const signatures = [
      { keyid: a.kid, sig: sig(a) },
      { keyid: '', sig: sig(b) },
      { keyid: b.kid, sig: sig(a) },
      { keyid: 'nobody', sig: sig(a) },
      { keyid: a.kid, sig: sig(a).subarray(1) },
    ]
    expect(checked(createEnvelope({ payload, payloadType: TYPE, signatures }))).toEqual([
      ...['valid', 'valid', 'invalid', 'unknown', 'invalid'],
    ])
  })

  test('cover the type', () => {
    expect(checked({ ...plain, payloadType: `${TYPE}/` })).toEqual(['invalid'])
  })

  test('of an output are put where DSSE has them', () => {
    const { payload: content, signatures } = plain
    const output = { keyid: a.kid, payload: content, payloadType: TYPE }
    const url = (signatures[0]?.sig ?? '')
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
    expect(checked(signedEnvelope({ ...output, signature: url }))).toEqual(['valid'])
  })
})
