/** A bundle as an object in S3, or in anything that speaks its API: the plain HTTP source with signed requests (SigV4). */
import { readFile } from 'node:fs/promises'
import { AwsV4Signer } from 'aws4fetch'
import { parseJson } from '../../../core/json.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { type HttpSourceOptions, httpSource } from './http-source.ts'
import { type BundleSource, SourceError } from './source.ts'

export interface S3SourceOptions
  extends Pick<HttpSourceOptions, 'caFile' | 'limits' | 'timeoutMs'> {
  readonly bucket: string
  readonly key: string
  readonly region: string
  /** Of another service than AWS: the bucket is the first part of the path then. */
  readonly endpoint?: string
  /**
   * JSON: `accessKeyId`, `secretAccessKey`, and `sessionToken` for temporary ones. Read for each request, so that they can be replaced.
   * Without it requests are not signed: for public objects.
   */
  readonly credentialsFile?: string
  /** Requests are dated. */
  readonly clock: Pick<Clock, 'now'>
}

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}
const text = schema.string({ maxLength: 4096 })
const format: Schema<unknown> = schema.object(
  { accessKeyId: text, secretAccessKey: text },
  { sessionToken: text },
)

export function s3Source(options: S3SourceOptions): BundleSource {
  const { caFile, credentialsFile, limits, timeoutMs } = options
  return httpSource({
    url: objectUrl(options),
    limits,
    timeoutMs,
    longPollSeconds: 0,
    ...(caFile === undefined ? {} : { caFile }),
    ...(credentialsFile === undefined ? {} : { headers: signer(credentialsFile, options) }),
  })
}

function objectUrl({ bucket, endpoint, key, region }: S3SourceOptions): string {
  const path = key.split('/').map(encodeURIComponent).join('/')
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}/${path}`
  return `https://${bucket}.s3.${region}.amazonaws.com/${path}`
}

function signer(
  credentialsFile: string,
  { clock, region }: S3SourceOptions,
): NonNullable<HttpSourceOptions['headers']> {
  return async (url) => {
    const credentials = await readCredentials(credentialsFile)
    const datetime = new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const signing = { ...credentials, datetime, method: 'GET', region, service: 's3' }
    const { headers } = await new AwsV4Signer({ ...signing, url: url.href }).sign()
    return Object.fromEntries(headers)
  }
}

/** What is wrong with the file is not told by its content. */
async function readCredentials(file: string): Promise<Credentials> {
  const value = parseJson(await readFile(file))
  const problem = format.problem(value, '')
  if (problem !== undefined) throw new SourceError('unauthorized', `${file} ${problem}`)
  return value as unknown as Credentials
}
