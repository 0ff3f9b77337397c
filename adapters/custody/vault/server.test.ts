/** A Vault of one's own, by TLS: whom the custody trusts, and what it says when Vault is sealed or stops. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Custody, PublicKey } from '../../../core/ports/custody.ts'
import { stop } from '../../../test/backends/shared.ts'
import { startVault, type Vault } from '../../../test/backends/vault.ts'
import { Authority } from '../../../test/certificates.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { systemClock } from '../../clock/system.ts'
import { VaultClient } from './client.ts'
import { Deadline } from './deadline.ts'
import { openVaultCustody, type VaultCustodyOptions } from './index.ts'

let folder: string
let authority: Authority
let own: Vault
let client: VaultClient
let options: VaultCustodyOptions
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-vault-'))
  authority = await Authority.make()
  own = await startVault(folder, await authority.server())
  const ca = readFileSync(authority.cert, 'utf8')
  client = await VaultClient.create({ address: own.address, ca, clock: systemClock })
  await write('sys/mounts/assay-transit', { type: 'transit' })
  await write('sys/mounts/assay-kv', { type: 'kv', options: { version: '2' } })
  while ((await write('assay-kv/data/ready', { data: {} })) !== 200) await pause(50)
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, own.root)
  const auth = { kind: 'token', tokenFile } as const
  const { address } = own
  options = { address, auth, caFile: authority.cert, clock: systemClock, timeoutMs: 3000 }
}, 600_000)
afterAll(async () => {
  client.close()
  stop(own)
  await authority.remove()
  rmSync(folder, { recursive: true })
})

async function write(path: string, body: Readonly<Record<string, unknown>>): Promise<number> {
  const deadline = new Deadline(5000, new AbortController().signal)
  const question = { verb: 'write', path, body, repeatable: false } as const
  return (await client.ask(question, own.root, deadline)).status
}
const signed = async (custody: Custody, key: PublicKey): Promise<number> => {
  const message = new Uint8Array([1])
  return (await custody.sign({ key, purpose: 'test', message })).length
}

test('only the authority in caFile is trusted, for its own names', async () => {
  const custody = await openVaultCustody(options)
  expect(await custody.list('log')).toEqual([])
  await custody.close()
  const { caFile: _, ...platform } = options
  expect(await refusal(openVaultCustody(platform))).toBe('misconfigured')
  const other = await Authority.make('Other Authority')
  expect(await refusal(openVaultCustody({ ...options, caFile: other.cert }))).toBe('misconfigured')
  await other.remove()
  const before = process.env
  process.env = { ...before, VAULT_SKIP_VERIFY: '1', NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  try {
    expect(await refusal(openVaultCustody(platform))).toBe('misconfigured')
  } finally {
    process.env = before
  }
  const named = options.address.replace('127.0.0.1', '127.0.0.2')
  expect(['misconfigured', 'unavailable']).toContain(
    await refusal(openVaultCustody({ ...options, address: named })),
  )
  const plain = options.address.replace('https', 'http')
  expect(await refusal(openVaultCustody({ ...options, address: plain }))).toBe('misconfigured')
})

test('a sealed Vault is unavailable until it is unsealed, and a stopped one is', async () => {
  const custody = await openVaultCustody(options)
  const key = await custody.transition(await custody.create('log', 'main', 'ecdsa-p256'), 'active')
  expect(await signed(custody, key)).toBe(64)
  await write('sys/seal', {})
  expect(await refusal(signed(custody, key))).toBe('unavailable')
  expect(await refusal(custody.create('log', 'main'))).toBe('unavailable')
  expect(await refusal(openVaultCustody(options))).toBe('unavailable')
  await write('sys/unseal', { key: own.share })
  await expect.poll(() => signed(custody, key).catch(() => 0), { timeout: 10_000 }).toBe(64)
  const signing = Promise.allSettled(Array.from({ length: 50 }, () => signed(custody, key)))
  stop(own)
  for (const one of await signing)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'unavailable' })
  expect(await refusal(signed(custody, key))).toBe('unavailable')
  expect(['unavailable', 'unknown_outcome']).toContain(await refusal(custody.create('log', 'main')))
  expect(await refusal(openVaultCustody(options))).toBe('unavailable')
  await custody.close()
}, 30_000)
