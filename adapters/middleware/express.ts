/** `assay/express`: guards routes of Express 4 and 5, and of whatever else takes `(request, response, next)` over Node's HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Decider } from './decider.ts'
import { type AuthorizeOptions, enforcer, type Mapper } from './enforce.ts'

export type * from './decider.ts'
export type { AuthorizeOptions, Mapper, Refused } from './enforce.ts'

/**
 * `app.get(PATH, authorize(...), handler)`, or `app.use(authorize(...))`. Denied requests get 403 and JSON, requests without a decision
 * 503; neither reaches the handler.
 */
export function authorize<Request extends IncomingMessage>(
  decider: Decider,
  mapper: Mapper<Request>,
  options?: AuthorizeOptions<Request>,
): (request: Request, response: ServerResponse, next: () => void) => Promise<void> {
  const enforce = enforcer(decider, mapper, options)
  return async (request, response, next) => {
    const { headers, refused } = await enforce(request)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (refused === undefined) return next()
    response.statusCode = refused.status
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(refused.body))
  }
}
