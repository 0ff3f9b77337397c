/** Distinguished names, public keys and extensions, in the form of Go's JSON. */
import { integer } from '../../../value/number.ts'
import type { Value } from '../../../value/value.ts'
import { encode, STANDARD } from '../../strings/encoding.ts'
import {
  bitsOf,
  booleanOf,
  children,
  dotted,
  type Element,
  elementAt,
  expected,
  integerOf,
  oidOf,
  TAG,
  textIn,
  unsigned,
} from './der.ts'

export function base64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD)
}

/** Go writes an empty list that nothing was put into as null. */
export function listOrNull(values: readonly Value[]): Value {
  return values.length === 0 ? null : values
}

const LISTS: Readonly<Record<string, string>> = {
  '2.5.4.6': 'Country',
  '2.5.4.7': 'Locality',
  '2.5.4.8': 'Province',
  '2.5.4.9': 'StreetAddress',
  '2.5.4.10': 'Organization',
  '2.5.4.11': 'OrganizationalUnit',
  '2.5.4.17': 'PostalCode',
}

export function nameOf(element: Element | undefined): Value {
  const attributes = children(element)
    .flatMap((set) => children(set, TAG.set))
    .map((one) => {
      const [type, value] = children(one)
      return { type: oidOf(type), text: textIn(value ?? expected(value, TAG.octets)) }
    })
  const texts = (oid: string): readonly string[] =>
    attributes.filter(({ type }) => type.join('.') === oid).map(({ text }) => text)
  return {
    CommonName: texts('2.5.4.3').at(-1) ?? '',
    SerialNumber: texts('2.5.4.5').at(-1) ?? '',
    ...Object.fromEntries(
      Object.entries(LISTS).map(([oid, name]) => [name, listOrNull(texts(oid))]),
    ),
    ExtraNames: null,
    Names: listOrNull(attributes.map(({ type, text }) => ({ Type: type, Value: text }))),
  }
}

export interface PublicKey {
  /** Go's number of the algorithm; zero is one that it does not know. */
  readonly algorithm: number
  readonly value: Value
}

export function publicKeyOf(spki: Element | undefined): PublicKey {
  const [algorithm, key] = children(spki)
  const bits = bitsOf(key)
  switch (dotted(children(algorithm)[0])) {
    case '1.2.840.113549.1.1.1': {
      const [modulus, exponent] = children(elementAt(bits))
      return {
        algorithm: 1,
        value: { N: integer(integerOf(modulus)), E: integer(integerOf(exponent)) },
      }
    }
    case '1.2.840.10045.2.1': {
      const half = (bits.length - 1) / 2
      const [x, y] = [bits.subarray(1, 1 + half), bits.subarray(1 + half)]
      return {
        algorithm: 3,
        value: { Curve: {}, X: integer(unsigned(x)), Y: integer(unsigned(y)) },
      }
    }
    case '1.3.101.112':
      return { algorithm: 4, value: base64(bits) }
    default:
      return { algorithm: 0, value: null }
  }
}

const SIGNATURES: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.4': 2,
  '1.2.840.113549.1.1.5': 3,
  '1.2.840.113549.1.1.11': 4,
  '1.2.840.113549.1.1.12': 5,
  '1.2.840.113549.1.1.13': 6,
  '1.2.840.10040.4.3': 7,
  '2.16.840.1.101.3.4.3.2': 8,
  '1.2.840.10045.4.1': 9,
  '1.2.840.10045.4.3.2': 10,
  '1.2.840.10045.4.3.3': 11,
  '1.2.840.10045.4.3.4': 12,
  '1.3.101.112': 16,
}

/** With PSS the digest stands in the parameters. */
const PSS: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.2.1': 13,
  '2.16.840.1.101.3.4.2.2': 14,
  '2.16.840.1.101.3.4.2.3': 15,
}

/** Go's number of the algorithm; zero is one that it does not know. */
export function signatureAlgorithm(element: Element | undefined): number {
  const [oid, parameters] = children(element)
  const name = dotted(oid)
  if (name !== '1.2.840.113549.1.1.10') return SIGNATURES[name] ?? 0
  const hash = parameters && children(parameters).find(({ tag }) => tag === 0xa0)
  return hash === undefined ? 0 : (PSS[dotted(children(elementAt(hash.content))[0])] ?? 0)
}

export interface Extension {
  readonly oid: readonly number[]
  readonly critical: boolean
  readonly value: Uint8Array
}

/** @param element a sequence of extensions */
export function extensionsOf(element: Element): readonly Extension[] {
  return children(element).map((one) => {
    const parts = children(one)
    const critical = parts[1]?.tag === TAG.boolean && booleanOf(parts[1])
    return { oid: oidOf(parts[0]), critical, value: expected(parts.at(-1), TAG.octets).content }
  })
}
