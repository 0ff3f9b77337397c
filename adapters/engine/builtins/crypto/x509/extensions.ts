/** What a certificate's extensions say, by the names of Go's fields. @see RFC 5280, section 4.2 */
import type { Value } from '../../../value/value.ts'
import { addressText } from '../../net/address.ts'
import { parseUri, uriFields } from '../../uri.ts'
import {
  bitsOf,
  booleanOf,
  children,
  dotted,
  type Element,
  elementAt,
  elements,
  Malformed,
  oidOf,
  smallInteger,
  TAG,
  textIn,
  unsigned,
} from './der.ts'
import { base64, type Extension, listOrNull } from './name.ts'

type Fields = { readonly [name: string]: Value }

const NONE: Fields = {
  AuthorityKeyId: null,
  BasicConstraintsValid: false,
  CRLDistributionPoints: null,
  DNSNames: null,
  EmailAddresses: null,
  ExcludedDNSDomains: null,
  ExcludedEmailAddresses: null,
  ExcludedIPRanges: null,
  ExcludedURIDomains: null,
  ExtKeyUsage: null,
  IPAddresses: null,
  InhibitAnyPolicy: 0,
  InhibitAnyPolicyZero: false,
  InhibitPolicyMapping: 0,
  InhibitPolicyMappingZero: false,
  IsCA: false,
  IssuingCertificateURL: null,
  KeyUsage: 0,
  MaxPathLen: 0,
  MaxPathLenZero: false,
  OCSPServer: null,
  PermittedDNSDomains: null,
  PermittedDNSDomainsCritical: false,
  PermittedEmailAddresses: null,
  PermittedIPRanges: null,
  PermittedURIDomains: null,
  Policies: null,
  PolicyIdentifiers: null,
  PolicyMappings: null,
  RequireExplicitPolicy: 0,
  RequireExplicitPolicyZero: false,
  SubjectKeyId: null,
  URIs: null,
  UnknownExtKeyUsage: null,
}

/** All fields, those of missing extensions too. */
export function extensionFields(extensions: readonly Extension[]): Fields {
  const unhandled: Value[] = []
  const fields = extensions.map(({ oid, critical, value }) => {
    const read = READERS[oid.join('.')]
    if (read !== undefined) return read(value, critical)
    if (critical) unhandled.push(oid)
    return {}
  })
  return Object.assign({}, NONE, ...fields, { UnhandledCriticalExtensions: listOrNull(unhandled) })
}

const READERS: Readonly<Record<string, (value: Uint8Array, critical: boolean) => Fields>> = {
  '2.5.29.14': (value) => ({ SubjectKeyId: base64(elementAt(value).content) }),
  '2.5.29.15': (value) => ({ KeyUsage: keyUsage(bitsOf(elementAt(value))) }),
  '2.5.29.17': (value) => alternativeNames(value),
  '2.5.29.19': basicConstraints,
  '2.5.29.30': nameConstraints,
  '2.5.29.31': crlPoints,
  '2.5.29.32': (value) => {
    const oids = children(elementAt(value)).map((one) => oidOf(children(one)[0]))
    return { Policies: oids.map((oid) => oid.join('.')), PolicyIdentifiers: oids }
  },
  '2.5.29.33': (value) => ({
    PolicyMappings: children(elementAt(value)).map((one) => {
      const [issuer, subject] = children(one)
      return { IssuerDomainPolicy: dotted(issuer), SubjectDomainPolicy: dotted(subject) }
    }),
  }),
  '2.5.29.35': (value) => {
    const id = children(elementAt(value)).find(({ tag }) => tag === 0x80)
    return { AuthorityKeyId: id === undefined ? null : base64(id.content) }
  },
  '2.5.29.36': policyConstraints,
  '2.5.29.37': extendedKeyUsage,
  '2.5.29.54': (value) => {
    const skip = smallInteger(elementAt(value))
    return { InhibitAnyPolicy: skip, InhibitAnyPolicyZero: skip === 0 }
  },
  '1.3.6.1.5.5.7.1.1': authorityInformation,
}

/** Bit 0 is the first of the string. */
function keyUsage(bits: Uint8Array): number {
  let usage = 0
  for (let i = 0; i < 9; i++) if ((bits[i >> 3] ?? 0) & (0x80 >> (i & 7))) usage |= 1 << i
  return usage
}

function basicConstraints(value: Uint8Array): Fields {
  const parts = children(elementAt(value))
  const isCa = parts[0]?.tag === TAG.boolean && booleanOf(parts[0])
  const length = parts.find(({ tag }) => tag === TAG.integer)
  const max = length === undefined ? -1 : smallInteger(length)
  return { BasicConstraintsValid: true, IsCA: isCa, MaxPathLen: max, MaxPathLenZero: max === 0 }
}

export function alternativeNames(value: Uint8Array): Fields {
  const names = children(elementAt(value))
  const of = (tag: number): readonly Element[] => names.filter((name) => name.tag === tag)
  const uris = of(0x86).map(textIn)
  return {
    DNSNames: listOrNull(of(0x82).map(textIn)),
    EmailAddresses: listOrNull(of(0x81).map(textIn)),
    IPAddresses: listOrNull(of(0x87).map(({ content }) => ipText(content))),
    URIs: listOrNull(
      uris.map((uri) => {
        const parsed = parseUri(uri)
        if (parsed === undefined) throw new Malformed()
        return uriFields(parsed)
      }),
    ),
  }
}

/** The texts of URIs, which OPA adds to Go's fields. */
export function uriStrings(extensions: readonly Extension[]): Value {
  const names = extensions.find(({ oid }) => oid.join('.') === '2.5.29.17')
  if (names === undefined) return null
  const uris = children(elementAt(names.value)).filter(({ tag }) => tag === 0x86)
  return listOrNull(uris.map(textIn))
}

function ipText(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16) throw new Malformed()
  return addressText({ value: unsigned(bytes), bits: bytes.length === 4 ? 32 : 128 })
}

function nameConstraints(value: Uint8Array, critical: boolean): Fields {
  const fields: Record<string, Value> = { PermittedDNSDomainsCritical: critical }
  for (const { tag, content } of children(elementAt(value))) {
    const kind = tag === 0xa0 ? 'Permitted' : 'Excluded'
    const bases = elements(content).map((subtree) => elementAt(subtree.content))
    const of = (wanted: number): readonly Element[] => bases.filter((base) => base.tag === wanted)
    fields[`${kind}DNSDomains`] = listOrNull(of(0x82).map(textIn))
    fields[`${kind}EmailAddresses`] = listOrNull(of(0x81).map(textIn))
    fields[`${kind}URIDomains`] = listOrNull(of(0x86).map(textIn))
    fields[`${kind}IPRanges`] = listOrNull(of(0x87).map(({ content: range }) => rangeOf(range)))
  }
  return fields
}

function rangeOf(range: Uint8Array): Value {
  const half = range.length / 2
  return { IP: ipText(range.subarray(0, half)), Mask: base64(range.subarray(half)) }
}

function crlPoints(value: Uint8Array): Fields {
  const uris = children(elementAt(value)).flatMap((point) => {
    const name = children(point).find(({ tag }) => tag === 0xa0)
    const full = name && elements(name.content).find(({ tag }) => tag === 0xa0)
    return full === undefined ? [] : elements(full.content).filter(({ tag }) => tag === 0x86)
  })
  return { CRLDistributionPoints: listOrNull(uris.map(textIn)) }
}

function policyConstraints(value: Uint8Array): Fields {
  const fields: Record<string, Value> = {}
  for (const { tag, content } of children(elementAt(value))) {
    const name = tag === 0x80 ? 'RequireExplicitPolicy' : 'InhibitPolicyMapping'
    const skip = Number(unsigned(content))
    fields[name] = skip
    fields[`${name}Zero`] = skip === 0
  }
  return fields
}

/** In the order of Go's numbers. */
const USAGES = [
  '2.5.29.37.0',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((arc) => `1.3.6.1.5.5.7.3.${arc}`),
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
  '1.3.6.1.4.1.311.2.1.22',
  '1.3.6.1.4.1.311.61.1.1',
]

function extendedKeyUsage(value: Uint8Array): Fields {
  const oids = children(elementAt(value)).map(oidOf)
  const known = oids.map((oid) => USAGES.indexOf(oid.join('.')))
  return {
    ExtKeyUsage: listOrNull(known.filter((usage) => usage >= 0)),
    UnknownExtKeyUsage: listOrNull(oids.filter((_, i) => known[i] === -1)),
  }
}

function authorityInformation(value: Uint8Array): Fields {
  const at = (method: string): Value =>
    listOrNull(
      children(elementAt(value)).flatMap((one) => {
        const [oid, place] = children(one)
        return dotted(oid) === method && place?.tag === 0x86 ? [textIn(place)] : []
      }),
    )
  return {
    OCSPServer: at('1.3.6.1.5.5.7.48.1'),
    IssuingCertificateURL: at('1.3.6.1.5.5.7.48.2'),
  }
}
