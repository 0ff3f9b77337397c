/**
 * Who a verified client certificate is. Its subject alternative names count in this order (RFC 5280, 4.2.1.6; SPIFFE X.509-SVID, 2):
 *
 * 1. exactly one URI, and it is `spiffe://...`: kind `spiffe`, id that URI;
 * 2. exactly one other URI: kind `x509`, id `uri:` and the URI;
 * 3. exactly one DNS name: kind `x509`, id `dns:` and the name in lower case;
 * 4. none of these: kind `x509`, id `dn:` and the subject, most specific part last, as OpenSSL prints it, with `, ` between.
 *
 * Several URIs, or no URI and several DNS names, name nobody in particular: such a certificate is refused.
 */
import type { X509Certificate } from 'node:crypto'
import type { Peer } from '../../../core/request.ts'

/** Undefined where it names nobody. */
export function peerOf(
  certificate: Pick<X509Certificate, 'subject' | 'subjectAltName'>,
): Peer | undefined {
  const names = readNames(certificate.subjectAltName ?? '')
  if (names === undefined) return undefined
  const of = (type: string): readonly string[] =>
    names.filter((name) => name.type === type).map(({ value }) => value)
  const [uris, hosts] = [of('URI'), of('DNS')]
  const [uri, host] = [uris[0], hosts[0]]
  if (uris.length > 1 || (uri === undefined && hosts.length > 1)) return undefined
  if (uri?.toLowerCase().startsWith('spiffe:'))
    return SPIFFE.test(uri) ? { kind: 'spiffe', id: uri } : undefined
  if (uri !== undefined) return named(`uri:${uri}`)
  if (host !== undefined) return named(`dns:${host.toLowerCase()}`)
  const subject = (certificate.subject ?? '').split('\n').join(', ')
  return subject === '' ? undefined : named(`dn:${subject}`)
}

/** A trust domain and a path, SPIFFE-ID 2. */
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,128}(?:\/[A-Za-z0-9._-]+)+$/

function named(id: string): Peer | undefined {
  return id.length <= 256 && id.isWellFormed() && !/\p{Cc}/u.test(id)
    ? { kind: 'x509', id }
    : undefined
}

interface Name {
  readonly type: string
  readonly value: string
}

/**
 * Node's text of the names: `TYPE:VALUE`, with `, ` between. A value in which those could be mistaken stands in quotation marks, and is not
 * read: undefined then, for all of them.
 */
function readNames(text: string): readonly Name[] | undefined {
  if (text === '') return []
  if (text.includes('"')) return undefined
  const names = text.split(', ').map((part): Name | undefined => {
    const colon = part.indexOf(':')
    return colon < 1 ? undefined : { type: part.slice(0, colon), value: part.slice(colon + 1) }
  })
  return names.every((name) => name !== undefined) ? names : undefined
}
