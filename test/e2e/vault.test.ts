/** A server whose log and task keys are in Vault: it starts, seals, rotates its log key and is audited, and no private key is on its disk. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { vault } from '../backends/vault.ts'
import { type AppRole, Keys } from '../backends/vault-keys.ts'
import { assay } from '../command.ts'

let dir: string
let keys: Keys
let role: AppRole
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-vault-'))
  keys = await Keys.in(await vault())
  role = await keys.appRole(await keys.policy('e2e'))
}, 600_000)
afterAll(async () => {
  keys.dispose()
  await rm(dir, { recursive: true })
})

const data = (): string => join(dir, 'data')
async function config(): Promise<string> {
  const { address } = keys.vault
  const { kvMount, mount } = keys
  const inVault = { kind: 'vault', address, mount, kvMount, prefix: 'e2e', auth: role.auth }
  const path = join(dir, 'assay.json')
  const custody = [
    { ...inVault, scopes: ['log', 'task'] },
    { kind: 'file', scopes: ['policy', 'witness'] },
  ]
  await writeFile(path, JSON.stringify({ custody, plugins: ['access'] }))
  return path
}
type Members = { readonly [name: string]: Json }
async function json(...args: string[]): Promise<Members> {
  const all = [...args, '--config', await config(), '--data', data(), '--json']
  const { code, stderr, stdout } = await assay(...all)
  // Nobody has a role in this log: what is decided is a denial, and its leaf is as good as any.
  expect([args, code, stderr]).toEqual([args, args[0] === 'decide' ? 1 : 0, ''])
  return JSON.parse(stdout) as Members
}
async function decide(subject: string): Promise<string> {
  const payload = JSON.stringify({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })
  return (await json('decide', '--payload', payload)).id as string
}

test('decisions are sealed by a key in Vault, also after it was rotated', async () => {
  const id = await decide('ada')
  const receipt = join(dir, 'receipt.json')
  await writeFile(receipt, JSON.stringify(await json('receipt', id)))
  expect(await json('log', 'rotate-key')).toMatchObject({ retired: 1, next: 2 })
  await decide('ada')
  const trust = ['--trust', join(data(), 'trust.json')]
  expect((await assay('verify', receipt, ...trust)).code).toBe(0)
  expect((await assay('fsck', '--data', data(), ...trust)).code).toBe(0)
  const { data: key } = await keys.get(`${keys.mount}/keys/e2e-log-log`)
  expect(key).toMatchObject({ type: 'ed25519', exportable: false, latest_version: 2 })
}, 60_000)

test('what is on disk signs nothing', async () => {
  const files = await readdir(data(), { recursive: true, withFileTypes: true })
  expect(files.filter(({ parentPath }) => parentPath.endsWith('/log')).length).toBe(0)
  const texts = files.filter((one) => one.isFile() && one.name.endsWith('.json'))
  for (const one of texts)
    expect(await readFile(join(one.parentPath, one.name), 'utf8')).not.toContain(
      (await readFile(role.auth.secretIdFile, 'utf8')).trim(),
    )
})
