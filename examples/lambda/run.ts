/**
 * The function on this machine, from nothing to a verified receipt: DynamoDB Local, LocalStack's KMS and AWS's own emulator of Lambda, which are
 * installed the first time. See README.md.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IamAnswer } from 'assay/lambda'
import { type Receipt, verifyReceipt } from 'assay/log'
import { installDynamoLocal, startDynamoLocal } from '../../test/backends/dynamodb.ts'
import { startLocalstack } from '../../test/backends/localstack.ts'
import { stop } from '../../test/backends/shared.ts'
import { deploy, environment } from '../../test/lambda/world.ts'
import { buildFunction } from './build.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-lambda-'))
const ending: (() => void)[] = [() => rmSync(folder, { recursive: true })]
const place = (name: string): string => {
  mkdirSync(join(folder, name))
  return join(folder, name)
}

try {
  console.log(
    'starting DynamoDB Local and LocalStack; installing them takes minutes the first time',
  )
  const dynamodb = await startDynamoLocal(await installDynamoLocal(), { place: place('dynamodb') })
  ending.push(() => stop(dynamodb))
  const localstack = await startLocalstack(place('localstack'))
  ending.push(() => stop(localstack))
  const at = { dynamodb: dynamodb.endpoint, kms: localstack.endpoint }
  const deployed = await deploy(place('operator'), 'notes', at)
  console.log(
    `the log ${deployed.anchor.origin} with its key in KMS: ${deployed.anchor.keys[0]?.vkey}`,
  )

  const built = await buildFunction(place('package'))
  console.log(`the package: ${built.bytes} bytes, ${built.gzipped} gzipped`)
  const module = join(built.folder, 'handler.mjs')
  const lambda = await environment(deployed, folder, { module })
  ending.push(() => lambda.stop())

  const asked = async (name: string, note: string): Promise<string> => {
    const answer = (await lambda.invoke({
      type: 'TOKEN',
      methodArn: `arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/notes/${note}`,
      authorizationToken: `Bearer a-long-example-token-of-${name}`,
    })) as IamAnswer
    return answer.policyDocument.Statement.map(({ Effect }) => Effect).join()
  }
  for (const [name, note] of [
    ['ada', 'diary'],
    ['ben', 'plan'],
    ['ben', 'diary'],
    ['eve', 'plan'],
  ] as const)
    console.log(
      `API Gateway asks for ${name}, who wants to read ${note}: ${await asked(name, note)}`,
    )

  const evaluation = {
    subject: { type: 'user', id: 'ada' },
    action: { name: 'write' },
    resource: { type: 'note', id: 'plan' },
  }
  const decided = (await lambda.invoke({ evaluation, seal: 'sealed', receipt: 'include' })) as {
    readonly allow: boolean
    readonly id: string
    readonly receipt: Receipt
  }
  console.log(
    `invoked directly, ada writes plan: ${decided.allow ? 'allowed' : 'denied'}, ${decided.id}`,
  )
  // Nothing is asked here but the anchor.
  const { checks, index, ok } = verifyReceipt(decided.receipt, deployed.anchor)
  for (const { detail, name } of checks) console.log(`  ${name}: ${detail}`)
  if (!ok) throw new Error('the receipt does not hold')
  console.log(
    `its receipt holds, without asking anybody: leaf ${index} of ${deployed.anchor.origin}`,
  )
} finally {
  for (const end of ending.reverse()) end()
}
