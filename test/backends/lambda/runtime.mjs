/**
 * What the managed Node.js runtime does, as far as it is documented: loads a module, and calls its `handler` with one event after the other. Plain
 * JavaScript of its own, so that nothing of Assay runs but what the function's package holds.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { pathToFileURL } from 'node:url'

const { AWS_LAMBDA_RUNTIME_API: api } = process.env
const base = `http://${api}/2018-06-01/runtime`
const post = (path, body) =>
  fetch(`${base}/${path}`, { method: 'POST', body: JSON.stringify(body ?? null) })
const told = (error) => ({ errorType: error?.name, errorMessage: String(error?.message ?? error) })

let handler
try {
  handler = (await import(pathToFileURL(process.argv[2]).href)).handler
} catch (error) {
  await post('init/error', told(error))
  process.exit(1)
}
for (;;) {
  const next = await fetch(`${base}/invocation/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const until = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => until - Date.now() }
  try {
    const answer = await handler(await next.json(), context)
    await post(`invocation/${id}/response`, answer)
  } catch (error) {
    await post(`invocation/${id}/error`, told(error))
  }
}
