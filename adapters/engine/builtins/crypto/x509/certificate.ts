/** Certificates and requests for them, with the members of Go's JSON. @see RFC 5280, RFC 2986 */
import { integer } from '../../../value/number.ts'
import type { PlainObject, Value } from '../../../value/value.ts'
import {
  bitsOf,
  children,
  dotted,
  type Element,
  elementAt,
  elements,
  expected,
  integerOf,
  MAX_BYTES,
  Malformed,
  only,
  smallInteger,
  TAG,
  timeOf,
} from './der.ts'
import { alternativeNames, extensionFields, uriStrings } from './extensions.ts'
import {
  base64,
  type Extension,
  extensionsOf,
  listOrNull,
  nameOf,
  publicKeyOf,
  signatureAlgorithm,
} from './name.ts'

export interface Certificate {
  /** As Go writes it. */
  readonly fields: PlainObject
  readonly uriStrings: Value
  readonly raw: Uint8Array
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
}

/** One certificate after the other; undefined where one is malformed, and where there is none. */
export function parseCertificates(bytes: Uint8Array): readonly Certificate[] | undefined {
  return guarded(() => elements(limited(bytes)).map(certificate))
}

export function guarded<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return undefined
    throw error
  }
}

function limited(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_BYTES) throw new Malformed()
  return bytes
}

function certificate(element: Element): Certificate {
  const [tbs, algorithm, signature] = children(element)
  const all = children(tbs)
  const explicit = all[0]?.tag === 0xa0 ? elementAt(all[0].content) : undefined
  const [serial, inner, issuer, validity, subject, spki, ...optional] =
    explicit === undefined ? all : all.slice(1)
  if (dotted(children(inner)[0]) !== dotted(children(algorithm)[0])) throw new Malformed()
  const list = optional.find(({ tag }) => tag === 0xa3)
  const extensions = list === undefined ? [] : extensionsOf(elementAt(list.content))
  const bits = bitsOf(signature)
  return {
    fields: {
      ...extensionFields(extensions),
      ...identityFields({ issuer, validity, subject, spki }),
      Extensions: written(extensions),
      ExtraExtensions: null,
      Raw: base64(element.raw),
      RawTBSCertificate: base64(tbs!.raw),
      SerialNumber: integer(integerOf(serial)),
      Signature: base64(bits),
      SignatureAlgorithm: signatureAlgorithm(algorithm),
      Version: explicit === undefined ? 1 : smallInteger(explicit) + 1,
    },
    uriStrings: uriStrings(extensions),
    raw: element.raw,
    signed: tbs!.raw,
    signature: bits,
    publicKey: spki!.raw,
    subject: subject!.raw,
    issuer: issuer!.raw,
  }
}

/** Who, by whom, from when to when. */
function identityFields({
  issuer,
  spki,
  subject,
  validity,
}: Readonly<Record<'issuer' | 'spki' | 'subject' | 'validity', Element | undefined>>): Record<
  string,
  Value
> {
  const [notBefore, notAfter] = children(validity)
  const key = publicKeyOf(spki)
  return {
    Issuer: nameOf(issuer),
    NotAfter: timeOf(notAfter),
    NotBefore: timeOf(notBefore),
    PublicKey: key.value,
    PublicKeyAlgorithm: key.algorithm,
    RawIssuer: base64(issuer!.raw),
    RawSubject: base64(subject!.raw),
    RawSubjectPublicKeyInfo: base64(spki!.raw),
    Subject: nameOf(subject),
  }
}

function written(extensions: readonly Extension[]): Value {
  return listOrNull(
    extensions.map(({ oid, critical, value }) => ({
      Id: oid,
      Critical: critical,
      Value: base64(value),
    })),
  )
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

export function parseRequest(bytes: Uint8Array): Value | undefined {
  return guarded(() => request(only(limited(bytes), TAG.sequence)))
}

function request(element: Element): Value {
  const [info, algorithm, signature] = children(element)
  const [version, subject, spki, attributes] = children(info)
  const extensions = (attributes === undefined ? [] : elements(attributes.content)).flatMap(
    (one) => {
      const [type, values] = children(one)
      if (dotted(type) !== EXTENSION_REQUEST) return []
      return extensionsOf(elementAt(expected(values, TAG.set).content))
    },
  )
  const names = extensions.find(({ oid }) => oid.join('.') === '2.5.29.17')
  const none = { DNSNames: null, EmailAddresses: null, IPAddresses: null, URIs: null }
  const key = publicKeyOf(spki)
  return {
    ...(names === undefined ? none : alternativeNames(names.value)),
    Attributes: null,
    Extensions: written(extensions),
    ExtraExtensions: null,
    PublicKey: key.value,
    PublicKeyAlgorithm: key.algorithm,
    Raw: base64(element.raw),
    RawSubject: base64(subject!.raw),
    RawSubjectPublicKeyInfo: base64(spki!.raw),
    RawTBSCertificateRequest: base64(info!.raw),
    Signature: base64(bitsOf(signature)),
    SignatureAlgorithm: signatureAlgorithm(algorithm),
    Subject: nameOf(subject),
    Version: smallInteger(version),
  }
}
