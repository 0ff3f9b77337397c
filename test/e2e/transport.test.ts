/** `assay serve` as it is run in earnest: HTTPS, a token from a file, and a realm, whose receipts outlive the server. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EXAMPLE_STATE } from '../../adapters/config/complete.ts'
import { Authority } from '../certificates.ts'
import { assay, Server } from '../server.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
const BODY = JSON.stringify({
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
})

let folder: string
let authority: Authority
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-transport-'))
  authority = await Authority.make()
})
afterAll(async () => {
  await authority.remove()
  await rm(folder, { recursive: true, force: true })
})

async function ask(url: string, token?: string): Promise<{ status: number; id: string }> {
  const ca = await readFile(authority.cert)
  const said = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const headers = { 'Content-Type': 'application/json', ...said }
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/access/v1/evaluation`, {
      method: 'POST',
      ca,
      agent: false,
      headers,
    })
    sent.on('error', reject)
    sent.on('response', (answer) => {
      const id = String(answer.headers['x-decision-id'] ?? '')
      answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, id }))
    })
    sent.end(BODY)
  })
}

test('a decision of a realm, over HTTPS, with a token, and its receipt by name of the realm', async () => {
  const { cert, key } = await authority.server()
  const [config, data, token] = ['assay.json', 'data', 'token'].map((name) => join(folder, name))
  if (config === undefined || data === undefined || token === undefined) throw new Error('no names')
  await mkdir(data)
  await writeFile(token, `${TOKEN}\n`)
  const peer = { kind: 'service', id: 'gateway' }
  const http = {
    tls: { cert, key },
    auth: { kind: 'bearer', tokens: [{ file: token, peer, realm: 'blue' }] },
  }
  await writeFile(config, JSON.stringify({ http, realms: { blue: { state: EXAMPLE_STATE } } }))
  const server = new Server({ data, config })
  const url = await server.ready
  expect(url).toMatch(/^https:/)
  expect((await ask(`${url}/realms/blue`)).status).toBe(401)
  expect((await ask(url, TOKEN)).status).toBe(403)
  const decided = await ask(`${url}/realms/blue`, TOKEN)
  expect([decided.status, decided.id]).toEqual([200, expect.stringMatching(/^[0-9a-f]{32}$/)])
  expect(await server.stop()).toBe(0)
  expect(server.output).not.toContain(TOKEN)
  // It invites nobody to paste a request that would be refused.
  expect(server.output).not.toContain('curl')

  const at = ['--config', config, '--data', data]
  const receipt = await assay('receipt', decided.id, ...at, '--realm', 'blue')
  expect(receipt.code).toBe(0)
  expect((await assay('receipt', decided.id, ...at)).code).toBe(2)
  expect((await assay('receipt', decided.id, ...at, '--realm', 'green')).output).toContain('green')
  const asked = ['--action', 'read', '--resource', 'checkpoint:ckpt-7-0041', '--json']
  const who = await assay('review', 'who', ...asked, ...at, '--realm', 'blue')
  expect([who.code, JSON.parse(who.output)]).toMatchObject([0, { subjects: [{ id: 'ada' }] }])
  const file = join(folder, 'receipt.json')
  await writeFile(file, receipt.output)
  const trust = join(data, 'realms/blue/trust.json')
  expect((await assay('verify', file, '--trust', trust)).code).toBe(0)
  expect((await assay('verify', file, '--trust', join(data, 'trust.json'))).code).not.toBe(0)
  expect((await assay('fsck', ...at, '--realm', 'blue', '--trust', trust)).code).toBe(0)
}, 120_000)
