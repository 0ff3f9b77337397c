/** Chains made by OpenSSL's own command, each of which OPA takes or refuses; here it is the same. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { opaSays, ours } from '../../../../../test/builtins.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-chain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: 'ignore' })
}
const at = (name: string): string => join(folder, name)
const CA = 'basicConstraints=critical,CA:TRUE'
const SERVER = 'subjectAltName=DNS:bank.example,DNS:*.shop.example,IP:192.0.2.7'

/** Without extensions a certificate is of version 1. */
function issue(name: string, by: string, extensions: string, ...more: string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const [request, file] = [at(`${name}.csr`), at(`${name}.ext`)]
  openssl(
    'req',
    '-new',
    ...key,
    '-keyout',
    at(`${name}.key`),
    '-out',
    request,
    '-subj',
    `/CN=${name}`,
  )
  writeFileSync(file, extensions)
  const extended = extensions === '' ? [] : ['-extfile', file]
  const signer =
    by === name
      ? ['-signkey', at(`${name}.key`)]
      : ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-CAcreateserial']
  const days = more.includes('-days') ? [] : ['-days', '30']
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    '-out',
    at(`${name}.pem`),
    ...extended,
    ...signer,
    ...days,
    ...more,
  )
}

issue('root', 'root', CA)
issue('root1', 'root1', '')
issue('denier', 'denier', 'basicConstraints=CA:FALSE')
issue('short', 'short', `${CA},pathlen:0`)
issue('user1', 'root', '')
issue('user', 'root', 'basicConstraints=CA:FALSE')
issue('plain', 'root', 'subjectKeyIdentifier=hash')
issue('middle', 'root', CA)
issue('below', 'short', CA)
issue('lower', 'middle', CA)
issue('signer', 'root', `${CA}\nkeyUsage=digitalSignature`)
issue('mailer', 'root', `${CA}\nextendedKeyUsage=emailProtection`)
issue('odd', 'root', `${CA}\n1.2.3.4=critical,ASN1:UTF8String:x`)
for (const by of [
  'root',
  'root1',
  'denier',
  'short',
  'user1',
  'user',
  'plain',
  'middle',
  'below',
  'lower',
  'signer',
  'mailer',
  'odd',
])
  issue(`of-${by}`, by, SERVER)
issue('mail', 'root', `${SERVER}\nextendedKeyUsage=emailProtection`)
issue('sha1', 'root', SERVER, '-sha1')

const YEAR_NS = 365 * 24 * 3600 * 1_000_000_000
const now = Number(BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n)

function call(chain: string, options: object = {}) {
  const pem = chain.split(' ').map((name) => readFileSync(at(`${name}.pem`), 'utf8'))
  return {
    name: 'crypto.x509.parse_and_verify_certificates_with_options',
    operands: [pem.join(''), { CurrentTime: now, ...options }],
  }
}

/** Roots first, leaves last; the answer that both give. */
const CHAINS: readonly (readonly [holds: boolean, chain: string, options?: object])[] = [
  [true, 'root of-root'],
  [true, 'root middle of-middle'],
  [true, 'root lower middle of-lower'],
  [true, 'root1 of-root1'],
  [true, 'short of-short'],
  [true, 'user1 of-user1'],
  [true, 'of-root of-root'],
  [true, 'root of-root', { DNSName: 'bank.example' }],
  [true, 'root of-root', { DNSName: 'a.shop.example' }],
  [true, 'root of-root', { DNSName: '192.0.2.7' }],
  [true, 'root mail', { KeyUsages: ['KeyUsageEmailProtection'] }],
  [true, 'root mail', { KeyUsages: ['KeyUsageAny'] }],
  [false, 'root user1 of-user1'],
  [false, 'root user of-user'],
  [false, 'root plain of-plain'],
  [false, 'user of-user'],
  [false, 'plain of-plain'],
  [false, 'denier of-denier'],
  [false, 'short below of-below'],
  [false, 'root signer of-signer'],
  [false, 'root mailer of-mailer'],
  [false, 'root odd of-odd'],
  [false, 'root mail'],
  [false, 'root sha1'],
  [false, 'root of-middle'],
  [false, 'root of-root1'],
  [false, 'middle root'],
  [false, 'root of-root', { CurrentTime: now + YEAR_NS }],
  [false, 'root of-root', { CurrentTime: now - YEAR_NS }],
  [false, 'root of-root', { DNSName: 'shop.example' }],
  [false, 'root of-root', { DNSName: 'a.b.shop.example' }],
  [false, 'root of-root', { DNSName: 'bank.example.evil' }],
  [false, 'root of-root', { DNSName: '192.0.2.8' }],
]

describe('a chain of certificates', () => {
  it('holds where it does in OPA', { timeout: 60_000 }, async () => {
    const calls = CHAINS.map(([, chain, options]) => call(chain, options))
    const said = await opaSays(calls)
    for (const [i, [holds, chain, options]] of CHAINS.entries()) {
      const name = `${chain} ${JSON.stringify(options ?? {})}`
      expect([name, ours(calls[i]!).slice(0, 5)]).toEqual([name, holds ? '[true' : '[fals'])
      expect([name, ours(calls[i]!)]).toEqual([name, said[i]])
    }
  })
})
