/**
 * The example's package in AWS's emulator of Lambda, with DynamoDB Local and LocalStack's KMS behind it, all on this machine: what an invocation takes on
 * the wire to the emulator, one after the other, as a Lambda environment has them. A cold one begins with the process; AWS adds the time that it takes
 * to get a machine and the package.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildFunction } from '../../examples/lambda/build.ts'
import { installDynamoLocal, startDynamoLocal } from '../backends/dynamodb.ts'
import type { RunningLambda } from '../backends/lambda.ts'
import { installLocalstack, startLocalstack } from '../backends/localstack.ts'
import { stop } from '../backends/shared.ts'
import { type Deployed, deploy, environment } from '../lambda/world.ts'
import { percentile } from './stats.ts'

const WARM_UP = 20

export interface MeasureLambda {
  /** Cold starts are ten times as many. */
  readonly rounds: number
  /** Of warm invocations of each kind, in each round. */
  readonly seconds: number
  readonly folder: string
}

const evaluation = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'note', id: 'diary' },
}
const EVENTS: Readonly<Record<string, object>> = {
  'authorizer of a REST API': {
    type: 'TOKEN',
    methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/notes/diary',
    authorizationToken: 'Bearer a-long-example-token-of-ada',
  },
  'invoked directly, durable': { evaluation },
  'invoked directly, sealed, with its receipt': { evaluation, seal: 'sealed', receipt: 'include' },
}

/** A Markdown table, and the size of the package. */
export async function measureLambda(options: MeasureLambda): Promise<string> {
  const { folder } = options
  const place = (name: string): string => {
    mkdirSync(join(folder, name))
    return join(folder, name)
  }
  await installLocalstack()
  const dynamodb = await startDynamoLocal(await installDynamoLocal(), { place: place('dynamodb') })
  const localstack = await startLocalstack(place('localstack'))
  try {
    const at = { dynamodb: dynamodb.endpoint, kms: localstack.endpoint }
    const deployed = await deploy(place('operator'), 'bench', at)
    const { bytes, folder: built, gzipped } = await buildFunction(place('package'))
    const lines = await measured(deployed, join(built, 'handler.mjs'), options)
    return [`Package: ${bytes} bytes, ${gzipped} gzipped.`, lines.join('\n')].join('\n\n')
  } finally {
    stop(localstack)
    stop(dynamodb)
  }
}

async function measured(
  deployed: Deployed,
  module: string,
  { folder, rounds, seconds }: MeasureLambda,
): Promise<readonly string[]> {
  const lines = [
    '| invocation | count | p50 ms | p90 ms | p99 ms |',
    '| --- | --- | --- | --- | --- |',
  ]
  const tell = (name: string, all: readonly number[]): void => {
    const cells = [0.5, 0.9, 0.99].map((share) => percentile(all, share).toFixed(1))
    lines.push(`| ${[name, all.length, ...cells].join(' | ')} |`)
    console.error(`bench: ${lines.at(-1)}`)
  }
  const [first = {}] = Object.values(EVENTS)
  const cold: number[] = []
  for (let i = 0; i < rounds * 10; i++)
    await inEnvironment(deployed, folder, module, async (lambda) => {
      cold.push(await timed(lambda, first))
    })
  tell('cold: the first of an environment', cold)
  await inEnvironment(deployed, folder, module, async (lambda) => {
    for (const [name, event] of Object.entries(EVENTS)) {
      for (let i = 0; i < WARM_UP; i++) await timed(lambda, event)
      const all: number[] = []
      const until = performance.now() + rounds * seconds * 1000
      while (performance.now() < until) all.push(await timed(lambda, event))
      tell(`warm: ${name}`, all)
    }
  })
  return lines
}

async function inEnvironment(
  deployed: Deployed,
  folder: string,
  module: string,
  use: (lambda: RunningLambda) => Promise<void>,
): Promise<void> {
  const lambda = await environment(deployed, folder, { module, timeoutSeconds: 30 })
  try {
    await use(lambda)
  } finally {
    lambda.stop()
  }
}

/** @throws where it is no answer */
async function timed(lambda: RunningLambda, event: object): Promise<number> {
  const began = performance.now()
  const answer = (await lambda.invoke(event)) as object
  const took = performance.now() - began
  const isAllowed = JSON.stringify(answer).includes('"Effect":"Allow"') || 'id' in answer
  if (!isAllowed) throw new Error(`not decided: ${JSON.stringify(answer).slice(0, 200)}`)
  return took
}
