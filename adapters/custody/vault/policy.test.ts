/** The policy in README.md: enough, no more than enough, and of no use for taking keys away. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { vault } from '../../../test/backends/vault.ts'
import { ask, Keys, POLICY, unique } from '../../../test/backends/vault-keys.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { openVaultCustody } from './index.ts'

let keys: Keys
beforeAll(async () => {
  keys = await Keys.in(await vault())
}, 600_000)
afterAll(() => keys.dispose())

test('README.md shows the policy that the tests run with', () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  expect(readme).toContain(`\`\`\`hcl\n${POLICY}\`\`\``)
})

/** Everything that the port offers, by a custody with this policy. */
async function useAll(prefix: string, change: (policy: string) => string): Promise<void> {
  const options = await keys.options(prefix, await keys.policy(prefix, change))
  const custody = await openVaultCustody({ ...options, scopes: ['log'] })
  try {
    const first = await custody.create('log', 'main')
    await custody.transition(first, 'active')
    await custody.sign({ key: first, purpose: 'test', message: new Uint8Array(1) })
    await custody.transition(await custody.create('log', 'main'), 'active')
    await custody.transition(first, 'grace')
    await custody.list('log')
  } finally {
    await custody.close()
  }
}

/** The policy with one capability less, each in turn. */
const lesser = [...POLICY.matchAll(/path "([^"]+)" \{\s+capabilities\s+= \[([^\]]+)\]/g)]
  .filter(([, path]) => !/renew-self|revoke-self/.test(path ?? ''))
  .flatMap(([stanza, path = '', list = '']) =>
    list.split(', ').map((one) => {
      const rest = list.split(', ').filter((each) => each !== one)
      const less = stanza.replace(`[${list}]`, `[${rest.join(', ')}]`)
      return [path, one.replaceAll('"', ''), stanza, less] as const
    }),
  )

test('every capability is needed', async () => {
  expect(lesser.length).toBe(10)
  await useAll(unique('p'), (policy) => policy)
  for (const [path, capability, stanza, less] of lesser) {
    const prefix = unique('p')
    const own = (text: string): string =>
      text
        .replaceAll('assay-transit', keys.mount)
        .replaceAll('assay-kv', keys.kvMount)
        .replaceAll('/assay/', `/${prefix}/`)
    const changed = (policy: string): string => policy.replace(own(stanza), own(less))
    expect([path, capability, await refusal(useAll(prefix, changed))]).toEqual([
      path,
      capability,
      'denied',
    ])
  }
}, 60_000)

test('whoever only signs needs less, and then moves nothing', async () => {
  const prefix = unique('p')
  const maker = await keys.open(prefix)
  const key = await maker.transition(await maker.create('log', 'main'), 'active')
  await maker.close()
  const policy = await keys.policy(prefix, (text) =>
    text
      .replace('["read", "update"]', '["read"]')
      .replace('["create", "read", "update"]', '["read"]')
      .replaceAll(/path "[^"]+\/(rotate|config)" \{\n[\s\S]*?\n\}\n/g, ''),
  )
  const signer = await openVaultCustody(await keys.options(prefix, policy))
  expect(await signer.list('log')).toEqual([key])
  const message = new Uint8Array(1)
  expect((await signer.sign({ key, purpose: 'test', message })).length).toBe(64)
  expect(await refusal(signer.create('log', 'main'))).toBe('denied')
  expect(await refusal(signer.transition(key, 'grace'))).toBe('denied')
  await signer.close()
})

test('keys cannot be read, exported, deleted or made exportable with it', async () => {
  const prefix = unique('p')
  const token = await keys.token([await keys.policy(prefix)])
  const custody = await keys.open(prefix)
  const key = await custody.create('log', 'main')
  await custody.close()
  const name = `${prefix}-log-main`
  const { kvMount, mount, vault } = keys
  const attempts: readonly (readonly ['DELETE' | 'GET' | 'LIST' | 'POST', string, object?])[] = [
    ['GET', `${mount}/export/signing-key/${name}`],
    ['GET', `${mount}/export/public-key/${name}/1`],
    ['GET', `${mount}/backup/${name}`],
    ['DELETE', `${mount}/keys/${name}`],
    ['POST', `${mount}/keys/${name}/config`, { deletion_allowed: true }],
    ['POST', `${mount}/keys/${name}/config`, { exportable: true }],
    ['POST', `${mount}/keys/${name}/config`, { allow_plaintext_backup: true }],
    ['POST', `${mount}/keys/${name}/trim`, { min_available_version: 1 }],
    ['POST', `${mount}/keys/${prefix}-log-new`, { type: 'ed25519', exportable: true }],
    ['POST', `${mount}/keys/${prefix}-log-new`, { type: 'aes256-gcm96' }],
    ['POST', `${mount}/keys/${prefix}-log-new/import`, { type: 'ed25519', ciphertext: 'x' }],
    ['LIST', `${mount}/keys`],
    ['DELETE', `${kvMount}/data/${prefix}/log/main`],
    ['DELETE', `${kvMount}/metadata/${prefix}/log/main`],
    ['POST', `${kvMount}/destroy/${prefix}/log/main`, { versions: [1] }],
    ['GET', `${kvMount}/data/other/log/main`],
    ['GET', 'sys/policies/acl/root'],
  ]
  for (const [method, path, body] of attempts)
    expect([path, (await ask(vault, method, path, body, token)).status]).toEqual([path, 403])
  // What it may do shows nothing private.
  const shown = await ask(vault, 'GET', `${mount}/keys/${name}`, undefined, token)
  expect(shown.status).toBe(200)
  expect(JSON.stringify(shown.body)).toContain(Buffer.from(key.publicKey).toString('base64'))
  expect(Object.keys(shown.body.data)).not.toContain('private_key')
})
