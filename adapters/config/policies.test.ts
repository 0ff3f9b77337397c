/** What a configuration says about signed bundles. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from './complete.ts'
import { loadConfig } from './load.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-config-policies-'))
})
afterAll(() => rm(dir, { recursive: true }))

async function policies(value: object): Promise<Config['policies']> {
  const file = join(dir, 'assay.json')
  await writeFile(file, JSON.stringify({ policies: { source: 'bundle', ...value } }))
  return (await loadConfig({ file })).policies
}
const ROOT = `policy/ann+01234567+${'A'.repeat(43)}=`
const from = { path: 'live.tar.gz' }

describe('signed bundles', () => {
  it('have defaults for all but where they come from and who signs', async () => {
    const place = await policies({ from, roots: [ROOT, `${ROOT}`.replace('ann', 'bob')] })
    expect(place).toMatchObject({ source: 'bundle', watch: true, capabilities: 'trust' })
    expect(place.bundle).toEqual({
      from: { path: join(dir, 'live.tar.gz') },
      trust: { roots: [ROOT, ROOT.replace('ann', 'bob')], threshold: 2 },
      revoked: [],
      poll: { minMs: 60_000, maxMs: 300_000 },
      timeoutMs: 30_000,
      staleAfterMs: 3_600_000,
      limits: { maxBytes: 67_108_864, maxUnpackedBytes: 268_435_456 },
      replayLast: 0,
    })
  })

  it('come over HTTP or from S3, with files that lie beside the configuration', async () => {
    const http = { url: 'https://b.example/live', tokenFile: 'token', caFile: 'ca.pem' }
    const { bundle } = await policies({ from: http, trust: 'trust.json' })
    expect(bundle).toMatchObject({
      from: { ...http, tokenFile: join(dir, 'token'), caFile: join(dir, 'ca.pem') },
      trust: { file: join(dir, 'trust.json') },
    })
    const s3 = { bucket: 'policies', key: 'a/b.tar.gz', region: 'eu-central-1' }
    const opaKey = { file: 'opa.pub', algorithm: 'ES256', scope: 'live' }
    const stored = await policies({
      from: { s3: { ...s3, credentialsFile: 'aws.json' } },
      trust: '/etc/trust.json',
      opaKey,
    })
    expect(stored.bundle).toMatchObject({
      from: { s3: { ...s3, credentialsFile: join(dir, 'aws.json') } },
      trust: { file: '/etc/trust.json' },
      opaKey: { ...opaKey, file: join(dir, 'opa.pub') },
    })
  })

  it.each<[string, object]>([
    ['nobody who signs', { from }],
    ['two answers to who signs', { from, roots: [ROOT], trust: 'trust.json' }],
    ['more signatures than roots', { from, roots: [ROOT], threshold: 2 }],
    ['a root that is a key of a log', { from, roots: [ROOT.replace('policy/', '')] }],
    ['nowhere to come from', { roots: [ROOT] }],
    ['two places', { from: { ...from, url: 'https://b.example' }, roots: [ROOT] }],
    ['another scheme', { from: { url: 'ftp://b.example' }, roots: [ROOT] }],
    ['a shared secret for OPA', { from, roots: [ROOT], opaKey: { file: 'k', algorithm: 'HS256' } }],
    ['a folder', { from, roots: [ROOT], dir: 'policies' }],
  ])('are refused with %s', async (_, value) => {
    await expect(policies(value)).rejects.toMatchObject({ code: 'invalid_config' })
  })
})
