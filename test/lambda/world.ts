/**
 * The example of `examples/lambda` on this machine: its table in DynamoDB Local, its keys in LocalStack's KMS, its package in AWS's emulator, and the
 * log's anchor as the operator's own command wrote it.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { parseAnchor, type TrustAnchor } from '../../core/log/anchor.ts'
import { type LambdaSetting, type RunningLambda, startLambda } from '../backends/lambda.ts'
import { readText, root } from '../source.ts'

const run = promisify(execFile)

export interface Endpoints {
  readonly dynamodb: string
  readonly kms: string
}
export interface Deployed {
  readonly anchor: TrustAnchor
  readonly anchorFile: string
  /** The operator's configuration and data folder, for `assay`. */
  readonly operator: readonly string[]
  /** What the function is told. */
  readonly env: Readonly<Record<string, string>>
}

const REGION = 'eu-central-1'
const EXAMPLE = join(root, 'examples/lambda')
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }

/** What an operator does once: the table, the key and the first state. @param name of a table that nobody else uses */
export async function deploy(folder: string, name: string, at: Endpoints): Promise<Deployed> {
  mkdirSync(folder, { recursive: true })
  const config = parse(readText('examples/lambda/assay.yaml')) as Record<string, object>
  const file = join(folder, 'assay.yaml')
  const own = {
    ...config,
    policies: join(EXAMPLE, String(config.policies)),
    state: join(EXAMPLE, String(config.state)),
    store: { ...config.store, table: name, prefix: name, endpoint: at.dynamodb },
    custody: { ...config.custody, prefix: name, endpoint: at.kms },
  }
  writeFileSync(file, stringify(own))
  const data = join(folder, 'data')
  const operator = ['--config', file, '--data', data]
  await assay(['store', 'init', ...operator])
  const asked = { action: { name: 'read' }, resource: { type: 'note', id: 'plan' } }
  const payload = JSON.stringify({ ...asked, subject: { type: 'user', id: 'ada' } })
  // Its first start makes the key, imports the state and writes the anchor.
  await assay(['decide', ...operator, '--payload', payload])
  const anchorFile = join(data, 'trust.json')
  const env = {
    ...CREDENTIALS,
    AWS_REGION: REGION,
    ASSAY_DYNAMODB: at.dynamodb,
    ASSAY_KMS: at.kms,
    ASSAY_ORIGIN: String(config.origin),
    ASSAY_PREFIX: name,
    ASSAY_TABLE: name,
  }
  return { anchor: parseAnchor(readFileSync(anchorFile)), anchorFile, operator, env }
}

type Ended = Error & { readonly stdout: string; readonly stderr: string }

/** Its standard output. @throws with what it says, where it ends with another code than 0 */
export async function assay(args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...CREDENTIALS, AWS_REGION: REGION }
  const ran = await run(join(root, 'bin/assay'), [...args], { env }).catch((error: Ended) => error)
  if (ran instanceof Error) throw new Error(`assay ${args[0]}: ${ran.stderr}${ran.stdout}`)
  return ran.stdout
}

/** Another environment of the deployed function. */
export function environment(
  { env }: Pick<Deployed, 'env'>,
  folder: string,
  { env: more, ...setting }: Pick<LambdaSetting, 'module'> & Partial<LambdaSetting>,
): Promise<RunningLambda> {
  const place = mkdtempSync(join(folder, 'environment-'))
  return startLambda({ ...setting, place, env: { ...env, ...more } })
}
