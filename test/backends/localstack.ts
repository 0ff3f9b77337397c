/**
 * LocalStack, which speaks AWS's APIs, without a container: for KMS, IAM, STS and S3. Newer ones want a newer Python than Debian's. What it takes and
 * AWS does not: signatures over more than 4,096 bytes, and every credential.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../proxies.ts'
import { fetched, folder } from '../tools.ts'
import { type Running, shared, startServer } from './shared.ts'

const run = promisify(execFile)
const CONSTRAINTS = join(import.meta.dirname, 'localstack', 'constraints.txt')

/** The Python that has it: 2 minutes and 514 MB the first time. @throws without Python and pip */
export async function installLocalstack(): Promise<string> {
  const venv = folder('localstack-4.10.0')
  const python = await fetched(join(venv, 'ready'), venv, async (into) => {
    await run('python3', ['-m', 'venv', '--clear', into])
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    const what = ['-c', CONSTRAINTS, 'localstack-core[runtime]', 'service-identity']
    await run(join(into, 'bin', 'python'), [...install, ...what])
    writeFileSync(join(into, 'ready'), '')
  })
  return join(python, '..', 'bin', 'python')
}

export interface Localstack extends Running {
  /** Of every service. */
  readonly endpoint: string
  readonly region: string
}

/** One for the whole test run. */
export function localstack(): Promise<Localstack> {
  return shared('localstack', startLocalstack)
}

/** @param into an empty folder for its files */
export async function startLocalstack(into: string): Promise<Localstack> {
  const command = await installLocalstack()
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const [volume, files] = ['volume', 'files'].map((name) => join(into, name)) as [string, string]
  for (const made of [volume, files]) mkdirSync(made)
  const env = {
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    LOCALSTACK_VOLUME_DIR: volume,
    FILESYSTEM_ROOT: files,
    // It stays on this machine: no usage events, no certificate, no name server.
    DISABLE_EVENTS: '1',
    SKIP_SSL_CERT_DOWNLOAD: '1',
    DNS_ADDRESS: '0',
  }
  // KMS itself is loaded by its first call, which takes seconds.
  const kms = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'TrentService.ListKeys',
  }
  const ready = async (): Promise<boolean> =>
    (await fetch(endpoint, { method: 'POST', headers: kms, body: '{}' })).status === 200
  const args = ['-m', 'localstack.runtime.main']
  const logFile = join(into, 'log')
  const { pid } = await startServer({ command, args, env, logFile, ready, timeoutMs: 120_000 })
  return { pid, endpoint, region: 'eu-central-1' }
}
