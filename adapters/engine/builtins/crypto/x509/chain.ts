/**
 * A chain from a leaf to a root, as Go's `Certificate.Verify` looks for one. Stricter in one thing: a chain with name constraints is
 * refused.
 *
 * @see RFC 5280, section 6
 */
import { get, isArray, type Value } from '../../../value/value.ts'
import { parseAddress } from '../../net/address.ts'
import { sameBytes } from '../digest.ts'
import type { NodeCrypto } from '../node.ts'
import type { Certificate } from './certificate.ts'

export interface Demands {
  /** Unix nanoseconds. */
  readonly time: bigint
  /** Of the leaf; empty is any. */
  readonly dnsName: string
  /** Go's numbers of what the chain must be good for, any of them. */
  readonly usages: readonly number[]
}

export const ANY_USAGE = 0
export const SERVER_AUTH = 1

/** The leaf first. Undefined where no chain holds. The leaf is the last, the root the first, all others are in between. */
export function verifiedChain(
  crypto: NodeCrypto,
  certificates: readonly Certificate[],
  demands: Demands,
): readonly Certificate[] | undefined {
  const [root] = certificates
  const leaf = certificates.at(-1)
  if (root === undefined || leaf === undefined || certificates.length < 2) return undefined
  if (!stands(leaf, demands) || !namesHost(leaf, demands.dnsName)) return undefined
  const search = new Search(crypto, root, certificates.slice(1, -1), demands)
  return search.from([leaf])
}

/** Signatures checked before a search is given up, as in Go. */
const MAX_CHECKS = 100

class Search {
  readonly #crypto: NodeCrypto
  readonly #root: Certificate
  readonly #between: readonly Certificate[]
  readonly #demands: Demands
  #checks = 0

  constructor(
    crypto: NodeCrypto,
    root: Certificate,
    between: readonly Certificate[],
    demands: Demands,
  ) {
    this.#crypto = crypto
    this.#root = root
    this.#between = between
    this.#demands = demands
  }

  from(chain: readonly Certificate[]): readonly Certificate[] | undefined {
    const last = chain.at(-1)!
    if (sameBytes(last.raw, this.#root.raw)) return this.#isGood(chain) ? chain : undefined
    for (const issuer of [this.#root, ...this.#between]) {
      if (chain.some((one) => sameBytes(one.raw, issuer.raw))) continue
      if (!this.#issued(issuer, last, chain.length - 1)) continue
      const found = this.from([...chain, issuer])
      if (found !== undefined) return found
    }
    return undefined
  }

  #isGood(chain: readonly Certificate[]): boolean {
    const { usages } = this.#demands
    return usages.includes(ANY_USAGE) || usages.some((usage) => chain.every(goodFor(usage)))
  }

  /** Before version 3 nothing says who may sign: of those only the root may, which is trusted by itself. */
  #isAuthority({ fields, raw }: Certificate): boolean {
    if (fields.BasicConstraintsValid) return fields.IsCA === true
    return fields.Version !== 3 && sameBytes(raw, this.#root.raw)
  }

  /** @param below certificates of authorities between the issuer and the leaf */
  #issued(issuer: Certificate, subject: Certificate, below: number): boolean {
    const { fields } = issuer
    if (!sameBytes(issuer.subject, subject.issuer) || !stands(issuer, this.#demands)) return false
    if (!this.#isAuthority(issuer)) return false
    const usage = fields.KeyUsage as number
    if (usage !== 0 && (usage & SIGNS_CERTIFICATES) === 0) return false
    const max = fields.MaxPathLen as number
    if (fields.BasicConstraintsValid && max >= 0 && below > max) return false
    if (++this.#checks > MAX_CHECKS) return false
    return signed(this.#crypto, issuer, subject)
  }
}

const SIGNS_CERTIFICATES = 32

function goodFor(usage: number): (certificate: Certificate) => boolean {
  return ({ fields }) => {
    const { ExtKeyUsage: known, UnknownExtKeyUsage: unknown } = fields
    if (known === null && unknown === null) return true
    return isArray(known) && (known.includes(usage) || known.includes(ANY_USAGE))
  }
}

/** In its time, and with no extension that nobody here knows but must. */
function stands({ fields }: Certificate, { time }: Demands): boolean {
  const at = (member: string): bigint => BigInt(Date.parse(fields[member] as string)) * 1_000_000n
  if (time < at('NotBefore') || time > at('NotAfter')) return false
  return fields.UnhandledCriticalExtensions === null && !isConstrained(fields)
}

function isConstrained(fields: Value): boolean {
  const kinds = ['DNSDomains', 'EmailAddresses', 'IPRanges', 'URIDomains']
  return ['Permitted', 'Excluded'].some((side) =>
    kinds.some((kind) => get(fields, `${side}${kind}`) !== null),
  )
}

/** Digests that can be forged do not count. */
const HASHES: Readonly<Record<number, string>> = {
  4: 'sha256',
  5: 'sha384',
  6: 'sha512',
  10: 'sha256',
  11: 'sha384',
  12: 'sha512',
  13: 'sha256',
  14: 'sha384',
  15: 'sha512',
}

function signed(crypto: NodeCrypto, issuer: Certificate, subject: Certificate): boolean {
  const algorithm = subject.fields.SignatureAlgorithm as number
  const type = algorithm === 16 ? 'ed25519' : algorithm >= 10 && algorithm <= 12 ? 'ec' : 'rsa'
  const hash = HASHES[algorithm] ?? null
  if (hash === null && algorithm !== 16) return false
  try {
    const key = crypto.createPublicKey({
      key: Buffer.from(issuer.publicKey),
      format: 'der',
      type: 'spki',
    })
    if (key.asymmetricKeyType !== type) return false
    if (type === 'rsa' && key.asymmetricKeyDetails!.modulusLength! < 1024) return false
    const padding =
      algorithm >= 13 && type === 'rsa' ? crypto.constants.RSA_PKCS1_PSS_PADDING : undefined
    const options = padding === undefined ? key : { key, padding }
    return crypto.verify(hash, subject.signed, options, subject.signature)
  } catch {
    // OpenSSL refuses keys that it cannot use.
    return false
  }
}

/** An IP address matches addresses, a name the names, with a star for one label. */
function namesHost({ fields }: Certificate, host: string): boolean {
  if (host === '') return true
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const address = parseAddress(bare)
  if (address !== undefined)
    return ((fields.IPAddresses ?? []) as readonly string[]).some((text) => {
      const other = parseAddress(text)
      return other?.value === address.value && other.bits === address.bits
    })
  const labels = labelsOf(host)
  if (labels === undefined) return false
  return ((fields.DNSNames ?? []) as readonly string[]).some((pattern) => {
    const wanted = labelsOf(pattern)
    if (wanted?.length !== labels.length) return false
    return wanted.every((label, i) => (i === 0 && label === '*') || label === labels[i])
  })
}

function labelsOf(name: string): readonly string[] | undefined {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.')
  return labels.every((label) => /^(?:\*|[\w-]+)$/.test(label)) ? labels : undefined
}
