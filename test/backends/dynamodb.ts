/**
 * AWS's own DynamoDB Local, out of Maven Central. Its licence is for development and tests: it is fetched here and never passed on. It checks no
 * signature and has one throughput for everybody; what DynamoDB answers for those, tests say through a proxy.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../proxies.ts'
import { fetched, folder } from '../tools.ts'
import { type Running, shared, startServer } from './shared.ts'

const run = promisify(execFile)
const POM = join(import.meta.dirname, 'dynamodb', 'pom.xml')

export interface DynamoLocal extends Running {
  readonly endpoint: string
}

export const REGION = 'eu-central-1'

/** It takes any, but the SDK's own chain has to find some. No test's message may show the secret. */
export const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
export function useCredentials(): void {
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE'
  process.env.AWS_SECRET_ACCESS_KEY = SECRET
}

/** The folder with its jars. @throws without Maven */
export async function installDynamoLocal(): Promise<string> {
  const bin = folder('dynamodb-local-2.6.1')
  const lib = join(bin, 'lib')
  await fetched(lib, bin, async (into) => {
    const where = `-DoutputDirectory=${join(into, 'lib')}`
    const copy = ['dependency:copy-dependencies', where, '-DincludeScope=runtime']
    await run('mvn', ['-q', '-B', '-f', POM, ...copy], { maxBuffer: 1 << 26 })
  })
  return lib
}

/** In memory, for every test of the run: each makes a table, or uses a prefix, of its own. This process gets credentials for it. */
export async function dynamodb(): Promise<DynamoLocal> {
  useCredentials()
  const lib = await installDynamoLocal()
  return await shared('dynamodb', (place) => startDynamoLocal(lib, { place }))
}

export interface DynamoLocalOptions {
  /** Holds its log. */
  readonly place: string
  /** The folder of its database. Default: it keeps everything in memory. */
  readonly data?: string
  /** Default: one that is free. */
  readonly port?: number
}

/** @param lib what {@link installDynamoLocal} returned */
export async function startDynamoLocal(
  lib: string,
  { data, place, port }: DynamoLocalOptions,
): Promise<DynamoLocal> {
  const at = port ?? (await freePort())
  const endpoint = `http://127.0.0.1:${at}`
  const kept = data === undefined ? ['-inMemory'] : ['-dbPath', data]
  const running = await startServer({
    command: 'java',
    args: [
      ...['-Xmx512m', `-Djava.library.path=${lib}`, '-cp', join(lib, '*'), MAIN],
      ...['-disableTelemetry', '-sharedDb', ...kept, '-port', String(at)],
    ],
    // Where it finds no folder for its files it takes the working one.
    cwd: place,
    logFile: join(place, 'log'),
    // It answers a request without a signature with an error of its own.
    ready: async () => (await fetch(endpoint)).status === 400,
  })
  return { ...running, endpoint }
}
const MAIN = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
