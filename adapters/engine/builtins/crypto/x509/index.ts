/** Certificates, requests and private keys, read and checked. Everything is given: no system's roots, no clock. */
import { entriesOf, isArray, isObject, RegoSet, type Value } from '../../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../../builtin.ts'
import { wrongType } from '../../operands.ts'
import { decode, STANDARD } from '../../strings/encoding.ts'
import { int64, onTexts, textOf } from '../../texts.ts'
import { nodeCrypto } from '../node.ts'
import { blocks, firstBlock } from '../pem.ts'
import { type Certificate, parseCertificates, parseRequest } from './certificate.ts'
import { type Demands, SERVER_AUTH, verifiedChain } from './chain.ts'
import { base64 } from './name.ts'
import { jwkOf, privateFields, privateKeys } from './private.ts'

/** PEM, PEM as Base64, or DER as Base64. */
function certificatesIn(text: string): readonly Certificate[] | undefined {
  if (text.startsWith('-----BEGIN')) return fromPem(text)
  const bytes = decode(text, STANDARD)
  if (bytes === undefined) return undefined
  const inner = textOf(bytes)
  return inner.startsWith('-----BEGIN') ? fromPem(inner) : parseCertificates(bytes)
}

function fromPem(text: string): readonly Certificate[] | undefined {
  const found = [...blocks(text)]
  if (found.some(({ type }) => type !== 'CERTIFICATE')) return undefined
  const lists = found.map(({ bytes }) => parseCertificates(bytes))
  return lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? [])
}

function extended({ fields, uriStrings }: Certificate): Value {
  return { ...fields, URIStrings: uriStrings }
}

function demandsAt(context: Context, given: Partial<Demands>): Demands | undefined {
  const time = given.time ?? context.now
  if (time === undefined) return fail(context, 'no time is given')
  return { dnsName: '', usages: [SERVER_AUTH], ...given, time }
}

function verified(
  context: Context,
  text: string,
  given: Partial<Demands>,
  write: (certificate: Certificate) => Value,
): Value | undefined {
  const certificates = certificatesIn(text)
  // A chain has a root and a leaf.
  if (certificates === undefined || certificates.length < 2) return [false, []]
  const crypto = nodeCrypto(context)
  const demands = demandsAt(context, given)
  if (crypto === undefined || demands === undefined) return undefined
  context.spend(certificates.length * 100)
  const chain = verifiedChain(crypto, certificates, demands)
  return chain === undefined ? [false, []] : [true, chain.map(write)]
}

/** In the order of Go's numbers. */
const USAGES = [
  'Any',
  'ServerAuth',
  'ClientAuth',
  'CodeSigning',
  'EmailProtection',
  'IPSECEndSystem',
  'IPSECTunnel',
  'IPSECUser',
  'TimeStamping',
  'OCSPSigning',
  'MicrosoftServerGatedCrypto',
  'NetscapeServerGatedCrypto',
  'MicrosoftCommercialCodeSigning',
  'MicrosoftKernelCodeSigning',
].map((name) => `KeyUsage${name}`)

type Option = (value: Value) => Partial<Demands> | undefined

const OPTIONS: Readonly<Record<string, Option>> = {
  DNSName: (value) =>
    typeof value === 'string' ? { dnsName: value.replace(/^"+|"+$/g, '') } : undefined,
  CurrentTime: (value) => {
    const time = int64(value)
    return time === undefined ? undefined : { time }
  },
  // Name constraints are not compared here.
  MaxConstraintComparisons: (value) => (int64(value) === undefined ? undefined : {}),
  KeyUsages: (value) => {
    const names = isArray(value) ? value : value instanceof RegoSet ? value.sorted() : undefined
    const texts = names?.filter((name) => typeof name === 'string')
    const usages = texts?.map((name) => USAGES.indexOf(name.replace(/^"+|"+$/g, '')))
    if (usages === undefined || usages.includes(-1)) return undefined
    return usages.length === 0 ? {} : { usages }
  },
}

const verifyWithOptions: Builtin = (context, text: Value, options: Value) => {
  if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
  if (!isObject(options)) return wrongType(context, 2, options, 'object')
  if (certificatesIn(text) === undefined) return [false, []]
  let demands: Partial<Demands> = {}
  for (const [name, value] of entriesOf(options)) {
    if (typeof name !== 'string') continue
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name]?.(value) : undefined
    if (option === undefined) return fail(context, 'an option that is unknown or of the wrong type')
    demands = { ...demands, ...option }
  }
  return verified(context, text, demands, ({ fields }) => fields)
}

function requestIn(text: string): Value | undefined {
  const isPem = text.startsWith('-----BEGIN CERTIFICATE REQUEST-----')
  const bytes = isPem ? undefined : decode(text, STANDARD)
  if (!isPem && bytes === undefined) return undefined
  const block = firstBlock(isPem ? text : textOf(bytes!))
  if (block !== undefined)
    return block.type === 'CERTIFICATE REQUEST' ? parseRequest(block.bytes) : undefined
  return bytes === undefined ? undefined : parseRequest(bytes)
}

/** As a JWK; null where the text has none. */
function firstPrivateKey(context: Context, text: string): Value | undefined {
  const bytes = text.startsWith('-----BEGIN') ? undefined : decode(text, STANDARD)
  if (text === '' || (bytes === undefined && !text.startsWith('-----BEGIN')))
    return fail(context, 'neither PEM nor Base64')
  const crypto = nodeCrypto(context)
  const keys = crypto && privateKeys(crypto, bytes === undefined ? text : textOf(bytes))
  if (keys === undefined) return context.failure ? undefined : fail(context, 'no private key')
  const [key] = keys
  return key === undefined ? null : (jwkOf(key) as Value)
}

function allPrivateKeys(context: Context, text: string): Value | undefined {
  if (text === '') return null
  const crypto = nodeCrypto(context)
  const bytes = decode(text, STANDARD)
  const keys = crypto && privateKeys(crypto, bytes === undefined ? text : textOf(bytes))
  if (keys === undefined) return context.failure ? undefined : fail(context, 'no private key')
  return keys.map(privateFields)
}

/** PEM, or Base64 of PEM or of DER: the DER, block by block, or undefined. */
function derBlocks(text: string, label: RegExp): readonly Uint8Array[] | undefined {
  const bytes = text.startsWith('-----BEGIN ') ? undefined : decode(text, STANDARD)
  if (bytes === undefined && !text.startsWith('-----BEGIN ')) return undefined
  const pem = bytes === undefined ? text : textOf(bytes)
  if (!pem.startsWith('-----BEGIN')) return bytes === undefined ? undefined : [bytes]
  return [...blocks(pem)].filter(({ type }) => label.test(type)).map((block) => block.bytes)
}

function keyPair(context: Context, certificate: string, key: string): Value | undefined {
  const crypto = nodeCrypto(context)
  if (crypto === undefined) return undefined
  const chain = derBlocks(certificate, /^CERTIFICATE$/)
  const leaf = chain?.[0] && parseCertificates(chain[0])?.[0]
  const [der] = derBlocks(key, /^PRIVATE KEY$| PRIVATE KEY$/) ?? []
  if (chain === undefined || leaf === undefined || der === undefined)
    return fail(context, 'no certificate, or no private key')
  for (const type of ['pkcs1', 'pkcs8', 'sec1'] as const) {
    try {
      const pair = crypto.createPrivateKey({ key: Buffer.from(der), format: 'der', type })
      const spki = crypto.createPublicKey(pair).export({ format: 'der', type: 'spki' })
      if (!spki.equals(leaf.publicKey))
        return fail(context, 'the key is not that of the certificate')
      return {
        Certificate: chain.map((bytes) => base64(bytes)),
        Leaf: leaf.fields,
        OCSPStaple: null,
        PrivateKey: privateFields(pair),
        SignedCertificateTimestamps: null,
        SupportedSignatureAlgorithms: null,
      }
    } catch {
      // Another form is tried.
    }
  }
  return fail(context, 'no private key')
}

export const X509: Family = {
  'crypto.parse_private_keys': onTexts((context, text = '') => allPrivateKeys(context, text)),
  'crypto.x509.parse_and_verify_certificates': onTexts((context, text = '') =>
    verified(context, text, {}, extended),
  ),
  'crypto.x509.parse_and_verify_certificates_with_options': verifyWithOptions,
  'crypto.x509.parse_certificate_request': onTexts(
    (context, text = '') => requestIn(text) ?? fail(context, 'no certificate request'),
  ),
  'crypto.x509.parse_certificates': onTexts(
    (context, text = '') => certificatesIn(text)?.map(extended) ?? fail(context, 'no certificates'),
  ),
  'crypto.x509.parse_keypair': onTexts((context, certificate = '', key = '') =>
    keyPair(context, certificate, key),
  ),
  'crypto.x509.parse_rsa_private_key': onTexts((context, text = '') =>
    firstPrivateKey(context, text),
  ),
}
