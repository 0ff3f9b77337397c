/** What Lambda loads. `build.ts` puts the policies in. */
import type { LambdaFunction } from 'assay/lambda'
import policies from 'packaged/policies.json'
import made from 'packaged/policies.mjs'
import { createFunction } from './parts.ts'

const fn = createFunction({ policies, made })
// While the environment starts, Lambda gives it a whole CPU.
await fn.ready
export const handler: LambdaFunction['handler'] = fn.handler
