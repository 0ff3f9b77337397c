/**
 * The extension: Assay beside a function in any language, which asks it over AuthZEN on this machine alone. Lambda starts it before the function and
 * ends it after.
 */
import { registerExtension } from 'assay/lambda'
import { serveHttp } from 'assay/transport/http'
import policies from 'packaged/policies.json'
import made from 'packaged/policies.mjs'
import { createFunction } from '../parts.ts'

const { ASSAY_PORT = '2772', AWS_LAMBDA_RUNTIME_API = '' } = process.env
const extension = await registerExtension({
  name: 'assay',
  runtimeApi: AWS_LAMBDA_RUNTIME_API,
})
const fn = createFunction({ policies, made })
try {
  const kernel = await fn.open()
  const server = await serveHttp(kernel, { port: Number(ASSAY_PORT) })
  // Whoever has called `next` has started: only then does the function get its first event.
  for (
    let event = await extension.next();
    event.kind !== 'shutdown';
    event = await extension.next()
  )
    // The function waits for its own questions; leaves get their places while it works.
    await kernel.integrate().catch(() => undefined)
  await server.close()
  await fn.close()
} catch {
  await extension.failed('CannotStart')
  process.exitCode = 1
}
