import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import { complete } from './complete.ts'
import { parseConfig } from './load.ts'

const read = (text: string) => complete(parseConfig(text, 'assay.yaml'), '/etc/assay/assay.yaml')
const http = (text: string) => read(`http: ${text}`).http

describe('the configuration of secure transport', () => {
  test('is what the documentation shows', async () => {
    const page = await readFile(resolve(import.meta.dirname, '../../docs/transport.md'), 'utf8')
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const config = read(yaml)
    expect(config.http).toMatchObject({
      host: '0.0.0.0',
      tls: { cert: '/run/tls/tls.crt', minVersion: 'TLSv1.3', requireClientCert: false },
      auth: [{ kind: 'mtls' }, { kind: 'jwt', typ: 'at+jwt' }, { kind: 'bearer' }],
      cors: { origins: ['https://console.example.com'] },
    })
    expect(config.realms.blue).toMatchObject({
      origin: 'log.example.com/blue',
      data: '/var/lib/assay/realms/blue',
      http: { rateLimit: { perPeer: { perSecond: 50 } } },
    })
  })

  test('has paths from where the file is', () => {
    const { auth, tls } = http(`
  tls: { cert: c.pem, key: ./k.pem, clientCa: ../ca.pem }
  auth:
    - { kind: bearer, tokens: [{ file: token, peer: { kind: a, id: b } }] }
    - { kind: jwt, issuer: i, audience: a, jwks: { file: jwks.json } }`)
    expect(tls).toEqual({
      cert: '/etc/assay/c.pem',
      key: '/etc/assay/k.pem',
      clientCa: '/etc/ca.pem',
    })
    expect(auth).toMatchObject([
      { tokens: [{ file: '/etc/assay/token' }] },
      { jwks: { file: '/etc/assay/jwks.json' } },
    ])
    expect(http('{ auth: none }').auth).toBe('none')
    expect(http('{ auth: { kind: mtls } }').auth).toEqual([{ kind: 'mtls' }])
  })

  test.each([
    [
      'a token in clear text',
      '{ auth: { kind: bearer, tokens: [{ token: abc, peer: { kind: a, id: b } }] } }',
    ],
    [
      'a secret as an algorithm',
      '{ auth: { kind: jwt, issuer: i, audience: a, jwks: { file: f }, algorithms: [HS256] } }',
    ],
    [
      'no algorithm at all',
      '{ auth: { kind: jwt, issuer: i, audience: a, jwks: { file: f }, algorithms: [none] } }',
    ],
    ['a token without an audience', '{ auth: { kind: jwt, issuer: i, jwks: { file: f } } }'],
    [
      'keys from two places',
      '{ auth: { kind: jwt, issuer: i, audience: a, jwks: { file: f, url: "https://x" } } }',
    ],
    ['a method that is not there', '{ auth: { kind: basic } }'],
    ['an old version', '{ tls: { cert: c, key: k, minVersion: TLSv1.1 } }'],
    ['half a pair', '{ tls: { cert: c } }'],
    ['a limit of nothing', '{ rateLimit: { perPeer: { perSecond: 0 } } }'],
    ['every origin', '{ cors: { origins: ["*"] } }'],
    ['an unknown group', '{ open: [decisions] }'],
  ])('does not have %s', (_, text) => {
    expect(() => http(text)).toThrow(ConfigError)
  })

  test('names what is misspelt', () => {
    const inline = (): unknown =>
      http('{ auth: { kind: bearer, tokens: [{ token: hunter2, peer: { kind: a, id: b } }] } }')
    expect(inline).toThrow(/"http\.auth/)
    expect(inline).not.toThrow(/none"|hunter2/)
    const misspelt = (): unknown => http('{ auth: { kind: mtls, realms: a } }')
    expect(misspelt).toThrow(/unknown member "http\.auth\.realms"/)
  })
})
