/** A server whose log is sealed by AWS KMS with a P-256 key: its receipts verify where no KMS is known, and the key is rotated. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TrustAnchor, verifyHead } from '../../core/log/anchor.ts'
import { localstack } from '../backends/localstack.ts'
import { assay } from '../command.ts'
import { useAccount } from '../conformance/custody/kms.ts'
import { Server } from '../server.ts'

let dir: string
let config: string
beforeAll(async () => {
  useAccount()
  dir = await mkdtemp(join(tmpdir(), 'assay-kms-'))
  config = join(dir, 'assay.json')
  const { endpoint, region } = await localstack()
  const custody = [
    { kind: 'kms', region, endpoint, prefix: 'e2e', scopes: ['log'] },
    { kind: 'file', scopes: ['policy', 'witness'] },
  ]
  await writeFile(config, JSON.stringify({ custody, plugins: ['access'] }))
}, 600_000)
afterAll(() => rm(dir, { recursive: true }))

const data = (): string => join(dir, 'data')
const trust = async (): Promise<TrustAnchor> =>
  JSON.parse(await readFile(join(data(), 'trust.json'), 'utf8')) as TrustAnchor

/** Decisions of a server that is started for them, and what it tells of its log. */
async function served(): Promise<{ readonly checkpoint: Uint8Array; readonly ids: string[] }> {
  const server = new Server({ data: data(), config })
  const url = await server.ready
  const decide = async (n: number): Promise<string> => {
    const answer = await fetch(`${url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        subject: { type: 'user', id: `somebody-${n}` },
        action: { name: 'read' },
        resource: { type: 'document', id: 'none' },
      }),
    })
    expect(answer.status).toBe(200)
    await answer.text()
    return answer.headers.get('x-decision-id') as string
  }
  const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => decide(n)))
  const answer = await fetch(`${url}/log/checkpoint`)
  const checkpoint = new Uint8Array(await answer.arrayBuffer())
  await server.stop()
  return { checkpoint, ids }
}

async function receiptOf(id: string): Promise<string> {
  const { code, stdout } = await assay(
    'receipt',
    id,
    '--config',
    config,
    '--data',
    data(),
    '--json',
  )
  expect(code).toBe(0)
  const path = join(dir, `${id}.json`)
  await writeFile(path, stdout)
  return path
}

/** With the anchor alone: no configuration, no credentials. */
async function verified(receipt: string): Promise<number> {
  const { code } = await assay('verify', receipt, '--trust', join(data(), 'trust.json'))
  return code
}

test('decisions are sealed by KMS with P-256, before and after the key was rotated', async () => {
  const first = await served()
  const before = await trust()
  // 0x02, and SubjectPublicKeyInfo: the base64 of both begins alike for every P-256 key.
  expect(before.keys).toMatchObject([{ vkey: expect.stringMatching(/\+AjBZMBMGByqGSM49AgEG/) }])
  expect(verifyHead(first.checkpoint, before).size).toBeGreaterThanOrEqual(20n)
  const old = await receiptOf(first.ids[0]!)
  expect(await verified(old)).toBe(0)
  const place = ['--config', config, '--data', data()]
  const rotated = await assay('log', 'rotate-key', ...place, '--json')
  expect(rotated.code).toBe(0)
  expect(JSON.parse(rotated.stdout)).toMatchObject({ retired: 1, next: 2 })
  const second = await served()
  expect(verifyHead(second.checkpoint, await trust()).size).toBeGreaterThan(40n)
  expect(await verified(old)).toBe(0)
  expect(await verified(await receiptOf(second.ids[0]!))).toBe(0)
  const audited = await assay('fsck', '--data', data(), '--trust', join(data(), 'trust.json'))
  expect(audited.code).toBe(0)
  const keys = await assay('key', 'list', 'log', ...place)
  expect(keys.stdout.match(/active|grace/g)).toEqual(['grace', 'active'])
}, 120_000)

test('no private key of the log is on disk', async () => {
  const files = await readdir(data(), { recursive: true })
  expect(files.filter((path) => path.includes('keys/log'))).toEqual([])
})
