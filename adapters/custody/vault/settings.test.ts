/** What operators get wrong: one typed error each, that names the setting. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import { vault } from '../../../test/backends/vault.ts'
import { Keys, unique } from '../../../test/backends/vault-keys.ts'
import { openVaultCustody, type VaultCustodyOptions } from './index.ts'

let keys: Keys
let options: VaultCustodyOptions
let other: Server
beforeAll(async () => {
  keys = await Keys.in(await vault())
  options = await keys.options(unique('s'))
  other = createServer((_, answer) => answer.end('hello'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
}, 600_000)
afterAll(() => {
  keys.dispose()
  other.close()
})
const otherUrl = (): string => `http://127.0.0.1:${(other.address() as AddressInfo).port}`

/** The one error that opening, or then making a key, ends with. */
async function refusal(wrong: Partial<VaultCustodyOptions>): Promise<CustodyError> {
  try {
    const custody = await openVaultCustody({ ...options, ...wrong })
    await custody.create('log', 'main').finally(() => custody.close())
  } catch (error) {
    if (error instanceof CustodyError) return error
    throw error
  }
  throw new Error('it was not refused')
}
const file = (text: string): string => keys.file(unique('f'), text)
const token = (text: string): VaultCustodyOptions['auth'] => ({
  kind: 'token',
  tokenFile: file(text),
})

const cases: readonly (readonly [
  what: string,
  wrong: () => Partial<VaultCustodyOptions>,
  code: string,
  setting: string,
])[] = [
  ['nobody listens', () => ({ address: 'http://127.0.0.1:1' }), 'unavailable', 'address'],
  ['no such host', () => ({ address: 'https://vault.invalid' }), 'unavailable', 'address'],
  ['plain HTTP', () => ({ address: 'http://vault.invalid:8200' }), 'misconfigured', 'address'],
  ['not Vault', () => ({ address: otherUrl() }), 'misconfigured', 'address'],
  [
    'https to a port of http',
    () => ({ address: options.address.replace('http', 'https') }),
    'misconfigured',
    'address',
  ],
  ['a path', () => ({ address: `${options.address}/v1` }), 'misconfigured', 'address'],
  ['credentials', () => ({ address: 'http://a:b@127.0.0.1:8200' }), 'misconfigured', 'address'],
  ['no URL', () => ({ address: 'vault:8200' }), 'misconfigured', 'address'],
  ['another mount', () => ({ mount: 'none' }), 'denied', 'mount'],
  ['another kvMount', () => ({ kvMount: 'none' }), 'denied', 'kvMount'],
  ['another prefix', () => ({ prefix: 'none' }), 'denied', 'prefix'],
  [
    'another mount, all being allowed',
    () => ({ mount: 'none', auth: token(keys.vault.root) }),
    'misconfigured',
    'mount',
  ],
  [
    'another kvMount, all being allowed',
    () => ({ kvMount: 'none', auth: token(keys.vault.root) }),
    'misconfigured',
    'kvMount',
  ],
  ['mounts swapped', () => ({ mount: keys.kvMount, kvMount: keys.mount }), 'denied', 'mount'],
  ['a mount that is no path', () => ({ mount: '../sys' }), 'misconfigured', 'mount'],
  ['a kvMount that is no path', () => ({ kvMount: 'a?b' }), 'misconfigured', 'kvMount'],
  ['a prefix that is none', () => ({ prefix: 'a-b' }), 'misconfigured', 'prefix'],
  ['a namespace that is none', () => ({ namespace: 'a b' }), 'misconfigured', 'namespace'],
  ['a scope that is none', () => ({ scopes: ['logs' as 'log'] }), 'scope_mismatch', 'logs'],
  ['no caFile', () => ({ caFile: '/nowhere' }), 'misconfigured', 'caFile'],
  ['a caFile of something else', () => ({ caFile: file('x') }), 'misconfigured', 'caFile'],
  [
    'no token file',
    () => ({ auth: { kind: 'token', tokenFile: '/nowhere' } }),
    'misconfigured',
    'auth.tokenFile',
  ],
  ['an empty token file', () => ({ auth: token('\n') }), 'misconfigured', 'auth.tokenFile'],
  ['two words', () => ({ auth: token('a\nb') }), 'misconfigured', 'auth.tokenFile'],
  ['an unknown token', () => ({ auth: token('hvs.none') }), 'denied', 'auth.tokenFile'],
]
test.each(cases)('%s', async (_, wrong, code, setting) => {
  const error = await refusal(wrong())
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(setting)])
  expect(error.message).toMatch(/^\[custody\/vault\] /)
  expect(error.cause).toBeUndefined()
})

test('a KV of version 1 is refused before anything is believed of it', async () => {
  const kvMount = unique('v1')
  await keys.post(`sys/mounts/${kvMount}`, { type: 'kv', options: { version: '1' } })
  const error = await refusal({ kvMount, auth: token(keys.vault.root) })
  expect([error.code, error.message]).toEqual(['misconfigured', expect.stringContaining('kvMount')])
})

test.each([
  ['of another type', { type: 'rsa-2048' }],
  ['that can be exported', { type: 'ed25519', exportable: true }],
  ['that can be backed up in plain text', { type: 'ed25519', allow_plaintext_backup: true }],
  ['that is derived', { type: 'ed25519', derived: true }],
])('a key %s is not taken', async (_, settings) => {
  const prefix = unique('s')
  const own = await keys.options(prefix)
  await keys.post(`${keys.mount}/keys/${prefix}-log-main`, settings)
  const error = await refusal(own)
  expect([error.code, error.message]).toEqual(['misconfigured', expect.stringContaining('prefix')])
})

test('nothing is taken from the environment', async () => {
  const before = { ...process.env }
  const wrong = { VAULT_ADDR: otherUrl(), VAULT_TOKEN: 'wrong', VAULT_NAMESPACE: 'wrong' }
  Object.assign(process.env, wrong, { VAULT_PREFIX: '/wrong', HTTP_PROXY: otherUrl() })
  try {
    const custody = await openVaultCustody(options)
    expect(await custody.list('log')).toEqual([])
    await custody.close()
  } finally {
    for (const name of [...Object.keys(wrong), 'VAULT_PREFIX', 'HTTP_PROXY'])
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  }
})
