/** The log in a bucket: S3's API as moto has it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fsck } from '../../../core/log/fsck.ts'
import { formatVkey } from '../../../core/log/note.ts'
import type { LogReader } from '../../../core/log/reader.ts'
import { formatTilePath } from '../../../core/log/tiles.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { logWith } from '../../../test/conformance/store/delegate.ts'
import { Waiting } from '../../../test/conformance/store/waiting.ts'
import { testCustody } from '../../../test/kernel/custody.ts'
import { kit, ORIGIN, submission } from '../../../test/kernel/kit.ts'
import { type S3, startS3 } from '../../../test/s3.ts'
import { systemClock } from '../../clock/system.ts'
import { Mirror, type MirrorOptions } from './mirror.ts'

let s3: S3
let folder: string
let client: AwsClient
let prefix: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-mirror-'))
  s3 = await startS3()
  client = new AwsClient({ ...s3.credentials, region: 'eu-central-1', service: 's3' })
}, 600_000)
beforeEach(() => {
  prefix = `log/${count++}`
})
afterAll(async () => {
  await s3?.stop()
  await rm(folder, { recursive: true, force: true })
})

const mirror = (options: Partial<MirrorOptions> = {}): Mirror =>
  new Mirror(
    { bucket: 'policies', region: 'eu-central-1', endpoint: s3.endpoint, prefix, ...options },
    systemClock,
    async () => s3.credentials,
  )

async function get(path: string): Promise<Uint8Array | undefined> {
  const answer = await client.fetch(`${s3.endpoint}/policies/${prefix}/${path}`)
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined
}
/** As anybody reads the bucket. */
const reader = (): LogReader => ({
  checkpoint: () => get('checkpoint'),
  tile: (level, index, width) => get(formatTilePath({ kind: 'tile', level, index, width })),
  entries: (index, width) => get(formatTilePath({ kind: 'entries', index, width })),
})

const head = (size: number, fill = 1) => {
  const root = Buffer.alloc(32, fill)
  const note = Buffer.from(`${ORIGIN}\n${size}\n${root.toString('base64')}\n\n\u2014 x AAAAAA==\n`)
  return { size: BigInt(size), root: new Uint8Array(root), note: new Uint8Array(note) }
}
const NOTHING = { leaves: async () => [], tile: async () => undefined }

test('a log in a bucket is whole after every head', { timeout: 120_000 }, async () => {
  const custody = await testCustody()
  const { log, store } = new Waiting().open()
  const target = mirror()
  const mirrored = logWith(log, {
    async publish(published) {
      await log.publish(published)
      await target.publish(log, published.checkpoint)
    },
  })
  const limits = { mergeMs: 0, sealTimeoutMs: 60_000 }
  const { kernel } = await kit({ store, log: mirrored, custody, clock: systemClock, limits })
  const [key] = await custody.list('log')
  const keys = [{ vkey: formatVkey(ORIGIN, key!.publicKey), from: '0' }]
  const anchor = { type: 'assay.trust/v1', origin: ORIGIN, keys } as const
  for (const more of [3, 290, 5]) {
    await Promise.all(Array.from({ length: more }, () => kernel.decide(submission())))
    const { sealed } = await kernel.integrate()
    const report = await fsck(reader(), anchor)
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report.leaves).toBe(BigInt(sealed))
  }
  await kernel.close()
})

test('a head never goes back, and a size has one root', async () => {
  const target = mirror()
  await target.publish(NOTHING, head(0))
  await target.publish(NOTHING, head(0))
  expect(await refusal(target.publish(NOTHING, head(0, 2)))).toBe('misconfigured')
  const put = { method: 'PUT', body: Buffer.from(head(7).note) }
  await client.fetch(`${s3.endpoint}/policies/${prefix}/checkpoint`, put)
  await target.publish(NOTHING, head(3, 9))
  expect(await get('checkpoint')).toEqual(head(7).note)
})

test('a head that another process published meanwhile stays', async () => {
  const target = mirror()
  await target.publish(NOTHING, head(0))
  const meanwhile = {
    ...NOTHING,
    async leaves() {
      const put = { method: 'PUT', body: Buffer.from(head(7).note) }
      await client.fetch(`${s3.endpoint}/policies/${prefix}/checkpoint`, put)
      return [Buffer.from('leaf')]
    },
  }
  await target.publish(meanwhile, head(1))
  expect(await get('checkpoint')).toEqual(head(7).note)
})

test('what is wrong is said once, with its name', async () => {
  expect(await refusal(mirror({ bucket: 'no-such-bucket' }).publish(NOTHING, head(0)))).toBe(
    'misconfigured',
  )
  const nowhere = mirror({ endpoint: 'http://127.0.0.1:1' })
  expect(await refusal(nowhere.publish(NOTHING, head(0)))).toBe('unavailable')
  const credentialsFile = join(folder, 'credentials.json')
  await writeFile(credentialsFile, '{"accessKeyId":"x"}')
  expect(await refusal(mirror({ credentialsFile }).publish(NOTHING, head(0)))).toBe('misconfigured')
  const wrong = { ...s3.credentials, secretAccessKey: 'another one' }
  await writeFile(credentialsFile, JSON.stringify(wrong))
  expect(await refusal(mirror({ credentialsFile }).publish(NOTHING, head(0)))).toBe('denied')
  await writeFile(credentialsFile, JSON.stringify(s3.credentials))
  await mirror({ credentialsFile }).publish(NOTHING, head(0))
  expect(await get('checkpoint')).toEqual(head(0).note)
})
