/** `assay/hono`: guards routes of Hono 4, on every platform that it runs on. */
import type { Context, MiddlewareHandler } from 'hono'
import type { Decider } from './decider.ts'
import { type AuthorizeOptions, enforcer, type Mapper } from './enforce.ts'

export type * from './decider.ts'
export type { AuthorizeOptions, Mapper, Refused } from './enforce.ts'

/**
 * `app.use(PATH, authorize(...))`, or in front of one handler. Denied requests get 403 and JSON, requests without a decision 503; neither
 * reaches the handler.
 */
export function authorize(
  decider: Decider,
  mapper: Mapper<Context>,
  options?: AuthorizeOptions<Context>,
): MiddlewareHandler {
  const enforce = enforcer(decider, mapper, options)
  return async (c, next) => {
    const { headers, refused } = await enforce(c)
    if (refused) return c.json(refused.body, refused.status, { ...headers })
    await next()
    // Now that there is an answer: a Response that a handler made itself would not have taken them before.
    for (const [name, value] of Object.entries(headers)) c.header(name, value)
    return undefined
  }
}
