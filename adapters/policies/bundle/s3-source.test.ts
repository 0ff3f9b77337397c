/** S3's API as moto has it, which recomputes each signature with AWS's own code. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type S3, startS3 } from '../../../test/s3.ts'
import { systemClock } from '../../clock/system.ts'
import { DEFAULT_LIMITS } from './archive.ts'
import { type S3SourceOptions, s3Source } from './s3-source.ts'
import type { BundleSource } from './source.ts'

let s3: S3
let folder: string
let credentialsFile: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-s3-'))
  credentialsFile = join(folder, 'credentials.json')
  s3 = await startS3()
}, 600_000)
afterAll(async () => {
  await s3?.stop()
  await rm(folder, { recursive: true, force: true })
})

const KEY = 'live/policy bundle+1.tar.gz'
const { signal } = new AbortController()

/** Puts an object with AWS's own credentials; its ETag. */
async function put(body: string): Promise<string> {
  const client = new AwsClient({ ...s3.credentials, region: 'eu-central-1', service: 's3' })
  const url = `${s3.endpoint}/policies/${encodeURIComponent(KEY).replaceAll('%2F', '/')}`
  const answer = await client.fetch(url, { method: 'PUT', body })
  expect(answer.status).toBe(200)
  return answer.headers.get('etag') ?? ''
}

function open(options: Partial<S3SourceOptions> = {}): BundleSource {
  return s3Source({
    bucket: 'policies',
    key: KEY,
    region: 'eu-central-1',
    endpoint: s3.endpoint,
    credentialsFile,
    clock: systemClock,
    limits: DEFAULT_LIMITS,
    timeoutMs: 30_000,
    ...options,
  })
}

async function codeOf(source: BundleSource): Promise<unknown> {
  try {
    return (await source.ask({ tag: undefined, signal })).kind
  } catch (error) {
    return (error as { readonly code?: string }).code
  } finally {
    await source.close()
  }
}

test('an object comes with its tag, and again once it is another', async () => {
  await writeFile(credentialsFile, JSON.stringify(s3.credentials))
  const source = open()
  const tag = await put('one')
  const first = await source.ask({ tag: undefined, signal })
  expect(first).toEqual({ kind: 'bundle', bytes: Buffer.from('one'), tag })
  expect(await source.ask({ tag, signal })).toEqual({ kind: 'unchanged' })
  await put('two')
  expect(await source.ask({ tag, signal })).toMatchObject({ bytes: Buffer.from('two') })
  await source.close()
}, 60_000)

test('who signs wrongly, or not at all, gets nothing', async () => {
  await put('one')
  const wrong = { ...s3.credentials, secretAccessKey: 'x'.repeat(40) }
  await writeFile(credentialsFile, JSON.stringify(wrong))
  expect(await codeOf(open())).toBe('unauthorized')
  await writeFile(credentialsFile, '{"accessKeyId":"a"}')
  expect(await codeOf(open())).toBe('unauthorized')
  expect(await codeOf(open({ credentialsFile: join(folder, 'none') }))).toBe('unauthorized')
  await writeFile(credentialsFile, JSON.stringify(s3.credentials))
  expect(await codeOf(open())).toBe('bundle')
  expect(await codeOf(open({ key: 'none' }))).toBe('not_found')
}, 60_000)
