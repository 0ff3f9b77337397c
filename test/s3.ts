/** An S3 that checks signatures, on this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { AwsClient } from 'aws4fetch'
import { motoServer } from './tools.ts'

export interface S3 {
  readonly endpoint: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  stop(): Promise<void>
}

/** Calls before signatures count: a user, its key, what it may do, a bucket. */
const SETUP_CALLS = 4

/** With an empty bucket `policies`. @throws without Python */
export async function startS3(): Promise<S3> {
  const program = await motoServer()
  const child = spawn(program, ['-H', '127.0.0.1', '-p', '0'], {
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: String(SETUP_CALLS) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  try {
    const endpoint = await listening(child)
    return { endpoint, credentials: await setUp(endpoint), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function listening(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const read = (text: Buffer): void => {
      said += text.toString()
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? []
      if (url !== undefined) resolve(url)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', () => reject(new Error(`moto does not start: ${said}`)))
  })
}

async function setUp(endpoint: string): Promise<S3['credentials']> {
  const anybody = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }
  const iam = new AwsClient({ ...anybody, region: 'us-east-1', service: 'iam' })
  const call = async (query: Readonly<Record<string, string>>): Promise<string> => {
    const body = new URLSearchParams({ ...query, UserName: 'reader', Version: '2010-05-08' })
    const answer = await iam.fetch(endpoint, { method: 'POST', body: String(body), headers: FORM })
    if (!answer.ok) throw new Error(`moto refuses ${query.Action}: ${await answer.text()}`)
    return answer.text()
  }
  await call({ Action: 'CreateUser' })
  const document = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
  }
  await call({
    Action: 'PutUserPolicy',
    PolicyName: 'all',
    PolicyDocument: JSON.stringify(document),
  })
  const text = await call({ Action: 'CreateAccessKey' })
  const member = (name: string): string =>
    new RegExp(`<${name}>(.*)</${name}>`).exec(text)?.[1] ?? ''
  const s3 = new AwsClient({ ...anybody, region: 'eu-central-1', service: 's3' })
  const body =
    '<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>'
  const made = await s3.fetch(`${endpoint}/policies`, { method: 'PUT', body })
  if (!made.ok) throw new Error(`moto makes no bucket: ${await made.text()}`)
  return { accessKeyId: member('AccessKeyId'), secretAccessKey: member('SecretAccessKey') }
}
const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
