/** Tokens, AppRoles and JWTs: how they end, and what the custody does then. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import type { Custody, PublicKey } from '../../../core/ports/custody.ts'
import { type FaultProxy, faultProxy } from '../../../test/backends/proxy.ts'
import { vault } from '../../../test/backends/vault.ts'
import { ask, Keys, unique } from '../../../test/backends/vault-keys.ts'
import { openVaultCustody, type VaultCustodyOptions } from './index.ts'

let keys: Keys
let proxy: FaultProxy
beforeAll(async () => {
  keys = await Keys.in(await vault())
  proxy = await faultProxy(keys.vault.address)
}, 600_000)
afterAll(async () => {
  await proxy.close()
  keys.dispose()
})

const message = new Uint8Array([1, 2, 3])
const signed = async (custody: Custody, key: PublicKey): Promise<number> =>
  (await custody.sign({ key, purpose: 'test', message })).length

async function caught(call: Promise<unknown>): Promise<CustodyError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof CustodyError) return error
  throw new Error(`it ended with ${inspect(error)}`)
}

interface World {
  readonly options: VaultCustodyOptions
  readonly policy: string
  /** Active, of `log`. */
  readonly key: PublicKey
}
async function world(): Promise<World> {
  const prefix = unique('u')
  const policy = await keys.policy(prefix)
  const options = { ...(await keys.options(prefix, policy)), address: proxy.url }
  const custody = await openVaultCustody(options)
  const made = await custody.create('log', 'main')
  const key = await custody.transition(made, 'active')
  await custody.close()
  return { options, policy, key }
}
/** The token that was used last, whoever's it is. */
async function revokeLast(): Promise<void> {
  const tokens = proxy.seen.flatMap(({ headers }) => headers['x-vault-token'] ?? [])
  await keys.post('auth/token/revoke', { token: String(tokens.at(-1)) })
}
const asked = (from: number, path: string): number =>
  proxy.seen.slice(from).filter((one) => one.path.includes(path)).length

test('tokens that live for seconds are renewed, and replaced when they end for good', async () => {
  const { key, options, policy } = await world()
  const { auth } = await keys.appRole(policy, { token_ttl: '2s', token_max_ttl: '3s' })
  const tokenFile = keys.file(unique('f'), await keys.token([policy], { ttl: '2s' }))
  const from = proxy.seen.length
  const custody = await openVaultCustody({ ...options, auth })
  const other = await openVaultCustody({ ...options, auth: { kind: 'token', tokenFile } })
  for (let i = 0; i < 24; i++) {
    expect(await signed(custody, key)).toBe(64)
    expect(await signed(other, key)).toBe(64)
    await pause(200)
  }
  await other.close()
  await custody.close()
  expect(asked(from, 'renew-self')).toBeGreaterThan(1)
  expect(asked(from, '/login')).toBeGreaterThan(1)
  const last = String(proxy.seen.at(-1)?.headers['x-vault-token'])
  expect((await ask(keys.vault, 'GET', 'auth/token/lookup-self', undefined, last)).status).toBe(403)
}, 20_000)

test('a token that was revoked is replaced at once, and one that lacks a permission is not', async () => {
  const { key, options, policy } = await world()
  const { auth } = await keys.appRole(policy)
  const custody = await openVaultCustody({ ...options, auth })
  await revokeLast()
  const from = proxy.seen.length
  const both = await Promise.all([signed(custody, key), signed(custody, key)])
  expect(both).toEqual([64, 64])
  expect(asked(from, '/login')).toBeLessThanOrEqual(2)
  await keys.post(`sys/policies/acl/${policy}`, {
    policy: 'path "auth/token/lookup-self" { capabilities = ["read"] }',
  })
  const before = proxy.seen.length
  expect((await caught(signed(custody, key))).code).toBe('denied')
  expect(asked(before, '/login')).toBe(0)
  await custody.close()
})

test('a token of a file that expired is denied until the file has another one', async () => {
  const { key, options, policy } = await world()
  const short = await keys.token([policy], { ttl: '1s', renewable: false })
  const tokenFile = keys.file(unique('f'), short)
  const custody = await openVaultCustody({ ...options, auth: { kind: 'token', tokenFile } })
  expect(await signed(custody, key)).toBe(64)
  const ended = (): Promise<boolean> =>
    signed(custody, key).then(
      () => false,
      () => true,
    )
  await expect.poll(ended, { timeout: 10_000, interval: 200 }).toBe(true)
  const error = await caught(signed(custody, key))
  expect([error.code, error.message]).toEqual(['denied', expect.stringContaining('auth.tokenFile')])
  keys.file(tokenFile.split('/').at(-1) ?? '', await keys.token([policy]))
  expect(await signed(custody, key)).toBe(64)
  await custody.close()
})

test('a secret-id that was used up or revoked is denied until the file has another one', async () => {
  const { options, policy } = await world()
  const role = await keys.appRole(policy, { secret_id_num_uses: 1 })
  const open = (): Promise<Custody> => openVaultCustody({ ...options, auth: role.auth })
  await (await open()).close()
  const usedUp = await caught(open())
  await role.renew()
  await (await open()).close()
  await ask(keys.vault, 'DELETE', `auth/${role.auth.mount}/role/own`)
  const revoked = await caught(open())
  for (const error of [usedUp, revoked])
    expect([error.code, error.message]).toEqual([
      'denied',
      expect.stringContaining('auth.secretIdFile'),
    ])
})

/** A SPIFFE JWT-SVID. @param aheadSeconds of the clock of whoever made it */
function svid(key: KeyObject, ttlSeconds: number, aheadSeconds = 0): string {
  const now = Math.floor(Date.now() / 1000) + aheadSeconds
  const claims = {
    ...{ sub: 'spiffe://cell.test/assay', aud: ['vault'] },
    ...{ iat: now - 1200, nbf: now - 1200, exp: now + ttlSeconds },
  }
  const text = [{ alg: 'ES256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

test('a JWT-SVID is read at each login, and one that expired or is of tomorrow is denied', async () => {
  const { key, options, policy } = await world()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const mount = unique('j')
  await keys.post(`sys/auth/${mount}`, { type: 'jwt' })
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  await keys.post(`auth/${mount}/config`, { jwt_validation_pubkeys: [pem] })
  await keys.post(`auth/${mount}/role/assay`, {
    ...{ role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'] },
    ...{ bound_subject: 'spiffe://cell.test/assay', token_policies: [policy] },
  })
  const jwtFile = keys.file(unique('f'), svid(privateKey, 60))
  const auth = { kind: 'jwt', role: 'assay', jwtFile, mount } as const
  const custody = await openVaultCustody({ ...options, auth })
  expect(await signed(custody, key)).toBe(64)
  for (const jwt of [svid(privateKey, -600), svid(privateKey, 60, 3600)]) {
    keys.file(jwtFile.split('/').at(-1) ?? '', jwt)
    await revokeLast()
    const error = await caught(signed(custody, key))
    expect([error.code, error.message]).toEqual(['denied', expect.stringContaining('auth.jwtFile')])
  }
  keys.file(jwtFile.split('/').at(-1) ?? '', svid(privateKey, 60))
  expect(await signed(custody, key)).toBe(64)
  const other = await caught(openVaultCustody({ ...options, auth: { ...auth, role: 'other' } }))
  expect([other.code, other.message]).toEqual(['denied', expect.stringContaining('auth.role')])
  await custody.close()
})

test('the namespace goes with every request, and nothing that is secret is shown', async () => {
  const { key, options, policy } = await world()
  const role = await keys.appRole(policy)
  const from = proxy.seen.length
  const custody = await openVaultCustody({ ...options, auth: role.auth, namespace: 'team/assay' })
  await custody.list('log')
  await signed(custody, key)
  const shown = [inspect(custody, { depth: 12, showHidden: true, getters: true })]
  shown.push(JSON.stringify(custody))
  const sent = proxy.seen.slice(from)
  proxy.fault = () => ({ answer: { status: 403, body: '{"errors":["permission denied"]}' } })
  const failed = await caught(openVaultCustody({ ...options, auth: role.auth }))
  proxy.fault = () => 'lose'
  const lost = await caught(custody.create('log', 'main'))
  proxy.fault = () => undefined
  await custody.close()
  for (const error of [failed, lost]) shown.push(inspect(error, { depth: 12, showHidden: true }))
  expect(sent.length).toBeGreaterThan(3)
  for (const { headers } of sent) expect(headers['x-vault-namespace']).toBe('team/assay')
  const logins = sent.filter(({ path }) => path.endsWith('/login'))
  const secrets = [
    ...Object.values(JSON.parse(String(logins[0]?.body)) as Record<string, string>),
    ...sent.flatMap(({ headers }) => headers['x-vault-token'] ?? []).map(String),
  ]
  expect(secrets.length).toBeGreaterThan(3)
  for (const secret of new Set(secrets))
    for (const text of shown) expect(text).not.toContain(secret)
})
