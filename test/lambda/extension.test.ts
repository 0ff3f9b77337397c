/**
 * Assay as an extension beside a function in Python, in AWS's emulator, which registers and starts extensions as Lambda does. It sends no SHUTDOWN that
 * could be waited for: that side is tested against the documented API.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { registerExtension } from '../../adapters/compose-lambda.ts'
import { randomBytes, toHex } from '../../core/crypto.ts'
import { buildFunction } from '../../examples/lambda/build.ts'
import { dynamodb } from '../backends/dynamodb.ts'
import { localstack } from '../backends/localstack.ts'
import { refusal } from '../conformance/laws.ts'
import { NODE } from '../installed.ts'
import { freePort } from '../proxies.ts'
import { root } from '../source.ts'
import { assay, deploy, environment } from './world.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-extension-'))
const ending: (() => unknown)[] = [() => rmSync(folder, { recursive: true })]
afterAll(async () => {
  for (const end of ending.reverse()) await end()
})

test('a function in Python asks it, and does nothing without an allow', async () => {
  const [table, keys] = [await dynamodb(), await localstack()]
  const at = { dynamodb: table.endpoint, kms: keys.endpoint }
  const deployed = await deploy(join(folder, 'operator'), `ext-${toHex(randomBytes(4))}`, at)
  const built = await buildFunction(join(folder, 'package'), 'extension/extension')
  const extensions = join(folder, 'extensions')
  mkdirSync(extensions)
  // Lambda starts what lies there under its own name.
  const script = `#!/bin/sh\nexec '${NODE}' '${join(built.folder, 'extension.mjs')}'\n`
  writeFileSync(join(extensions, 'assay'), script)
  chmodSync(join(extensions, 'assay'), 0o755)
  const runtime = join(root, 'test/backends/lambda/runtime.py')
  const module = join(root, 'examples/lambda/extension/app.py')
  const lambda = await environment(deployed, folder, {
    command: ['python3', runtime, module],
    env: { ASSAY_PORT: String(await freePort()) },
    extensions,
    module,
    timeoutSeconds: 30,
  })
  ending.push(() => lambda.stop())
  const ask = (user: string, note: string) => lambda.invoke({ user, action: 'read', note })
  const first = (await ask('ada', 'diary')) as { decision: string }
  expect(first).toEqual({ done: true, decision: expect.stringMatching(/^[0-9a-f]{32}$/) })
  expect(await ask('ben', 'diary')).toMatchObject({ done: false, decision: expect.any(String) })
  const receipt = join(folder, 'receipt.json')
  writeFileSync(receipt, await assay(['receipt', first.decision, ...deployed.operator, '--json']))
  await assay(['verify', receipt, '--trust', deployed.anchorFile])
}, 600_000)

interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
/** The Extensions API, with these events. */
async function extensionsApi(events: readonly object[], status = 200) {
  const asked: Asked[] = []
  const left = [...events]
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { headers, url: path = '' } = request
    asked.push({ path, headers, body })
    response.writeHead(status, { 'lambda-extension-identifier': 'e-1' })
    response.end(JSON.stringify(path.endsWith('/next') ? left.shift() : {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ending.push(() => server.close())
  const runtimeApi = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, runtimeApi }
}

test('it registers for both events, and names itself with the identifier that it got', async () => {
  const { asked, runtimeApi } = await extensionsApi([
    { eventType: 'INVOKE', requestId: 'r-1', deadlineMs: 1000 },
    { eventType: 'SHUTDOWN', shutdownReason: 'spindown', deadlineMs: 2000 },
    { eventType: 'OTHER' },
  ])
  const extension = await registerExtension({ name: 'assay', runtimeApi })
  expect(asked[0]).toMatchObject({
    path: '/2020-01-01/extension/register',
    headers: { 'lambda-extension-name': 'assay' },
    body: '{"events":["INVOKE","SHUTDOWN"]}',
  })
  expect(await extension.next()).toEqual({ kind: 'invoke', requestId: 'r-1', deadlineMs: 1000 })
  expect(await extension.next()).toEqual({ kind: 'shutdown', reason: 'spindown', deadlineMs: 2000 })
  expect(await refusal(extension.next())).toBe('invalid_options')
  await extension.failed('CannotStart')
  const paths = asked.map(({ path }) => path.replace('/2020-01-01/extension', ''))
  expect(paths).toEqual(['/register', '/event/next', '/event/next', '/event/next', '/init/error'])
  for (const { headers } of asked.slice(1))
    expect(headers['lambda-extension-identifier']).toBe('e-1')
  expect(asked[4]?.headers['lambda-extension-function-error-type']).toBe('Assay.CannotStart')
})

test('a platform that does not take it is one clear error', async () => {
  const { runtimeApi } = await extensionsApi([], 403)
  expect(await refusal(registerExtension({ name: 'x', runtimeApi }))).toBe('invalid_options')
})
