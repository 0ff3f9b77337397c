/** What a configuration says about keys, from text to a place with nothing left open. */
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import type { Config } from './complete.ts'
import { complete } from './complete.ts'
import { parseConfig } from './load.ts'

const FILE = '/etc/assay/assay.yaml'
const read = (text: string): Config => complete(parseConfig(text, FILE), FILE)
function refused(text: string): ConfigError {
  try {
    read(text)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('one custody', () => {
  test('is files beside the data by default', () => {
    expect(read('data: d').custody).toEqual({ kind: 'file', dir: '/etc/assay/d/keys' })
  })

  test.each([
    [
      '{kind: file, dir: k, passphraseFile: p}',
      { kind: 'file', dir: '/etc/assay/k', passphraseFile: '/etc/assay/p' },
    ],
    [
      '{kind: vault, address: "https://v:8200", caFile: ca.pem, auth: {kind: token, tokenFile: t}}',
      {
        kind: 'vault',
        address: 'https://v:8200',
        caFile: '/etc/assay/ca.pem',
        auth: { kind: 'token', tokenFile: '/etc/assay/t' },
      },
    ],
    [
      '{kind: vault, address: "https://v", namespace: n, mount: t/a, auth: {kind: approle, roleId: r, secretIdFile: s, mount: m}}',
      {
        kind: 'vault',
        address: 'https://v',
        namespace: 'n',
        mount: 't/a',
        auth: { kind: 'approle', roleId: 'r', secretIdFile: '/etc/assay/s', mount: 'm' },
      },
    ],
    [
      '{kind: vault, address: "https://v", auth: {kind: jwt, role: r, jwtFile: /run/svid}}',
      {
        kind: 'vault',
        address: 'https://v',
        auth: { kind: 'jwt', role: 'r', jwtFile: '/run/svid' },
      },
    ],
    [
      '{kind: kms, region: eu-central-1, prefix: a, timeoutMs: 500}',
      { kind: 'kms', region: 'eu-central-1', prefix: 'a', timeoutMs: 500 },
    ],
    [
      '{kind: pkcs11, module: /usr/lib/x.so, token: Assay, pinFile: pin}',
      { kind: 'pkcs11', module: '/usr/lib/x.so', token: 'Assay', pinFile: '/etc/assay/pin' },
    ],
    ['{kind: ./mine.js}', { kind: 'foreign', specifier: '/etc/assay/mine.js', options: {} }],
  ])('%s', (text, place) => {
    expect(read(`custody: ${text}`).custody).toEqual(place)
  })

  test.each([
    ['{kind: file, passphraseFile: p, keyFile: k}', 'passphraseFile'],
    ['{kind: file, passphrase: secret}', 'passphrase'],
    ['{kind: vault, address: "https://v"}', 'auth'],
    ['{kind: vault, address: "https://v", auth: {kind: token, token: s.x}}', 'token'],
    ['{kind: vault, address: "https://v", auth: {kind: approle, secretIdFile: s}}', 'roleId'],
    ['{kind: vault, address: "ftp://v", auth: {kind: token, tokenFile: t}}', 'address'],
    ['{kind: kms}', 'region'],
    ['{kind: kms, region: eu, secretAccessKey: x}', 'secretAccessKey'],
    ['{kind: pkcs11, module: m, token: t, pin: "1234"}', 'pin'],
    ['{kind: kms, region: eu, prefix: A/B}', 'prefix'],
  ])('is refused, by the name of what is wrong: %s', (text, word) => {
    const { code, message } = refused(`custody: ${text}`)
    expect(code).toBe('invalid_config')
    expect(message).toContain(word)
  })
})

describe('several', () => {
  test('have scopes of their own', () => {
    const { custody } = read(`custody:
      - {kind: kms, region: eu, scopes: [log, controller]}
      - {kind: file, scopes: [task]}
      - {kind: other-keys, scopes: [cell], options: {a: 1}}`)
    expect(custody).toEqual({
      kind: 'scoped',
      parts: [
        { scopes: ['log', 'controller'], custody: { kind: 'kms', region: 'eu' } },
        { scopes: ['task'], custody: { kind: 'file', dir: expect.stringMatching(/keys$/) } },
        {
          scopes: ['cell'],
          custody: { kind: 'foreign', specifier: 'other-keys', options: { a: 1 } },
        },
      ],
    })
  })

  test.each([
    [
      'a scope twice',
      '[{kind: file, scopes: [log, task]}, {kind: kms, region: eu, scopes: [log]}]',
    ],
    ['a scope twice in one', '[{kind: file, scopes: [log, log]}]'],
    ['a scope that does not exist', '[{kind: file, scopes: [logs]}]'],
    ['no scopes', '[{kind: file}]'],
    ['no custody', '[]'],
    ['one without what it needs', '[{kind: kms, scopes: [log]}]'],
  ])('are refused for %s', (_, text) => {
    expect(refused(`custody: ${text}`).code).toBe('invalid_config')
  })
})

describe('realms', () => {
  const realm = (custody: string): string => `{origin: r, custody: ${custody}}`
  const server = (custody: string, ...realms: string[]): string =>
    `custody: ${custody}\nrealms: {${realms.map((one, i) => `r${i}: ${one}`).join(', ')}}`
  const kms = (prefix: string): string => `{kind: kms, region: eu, prefix: ${prefix}}`

  test('have keys of their own', () => {
    expect(read(server(kms('a'), realm(kms('b')))).realms.r0?.custody).toMatchObject({
      prefix: 'b',
    })
    expect(read(server('{kind: file}', '{origin: r}')).realms.r0?.custody).toMatchObject({
      kind: 'file',
    })
  })

  test('that would share keys are refused', () => {
    expect(refused(server(kms('a'), realm(kms('a')))).code).toBe('invalid_config')
    expect(refused(server(kms('a'), '{origin: r}')).code).toBe('invalid_config')
    const list = '[{kind: file, scopes: [log]}]'
    expect(refused(server(list, '{origin: r}')).code).toBe('invalid_config')
    const both = '[{kind: kms, region: eu, prefix: a, scopes: [log]}]'
    expect(refused(server(kms('a'), realm(both))).code).toBe('invalid_config')
  })
})
