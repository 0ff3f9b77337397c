/** `assay/fastify`: guards routes of Fastify 5. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Decider } from './decider.ts'
import { type AuthorizeOptions, enforcer, type Mapper } from './enforce.ts'

export type * from './decider.ts'
export type { AuthorizeOptions, Mapper, Refused } from './enforce.ts'

/**
 * A hook for one route (`preHandler: authorize(...)`) or for all (`app.addHook('preHandler', authorize(...))`). Denied requests get 403
 * and JSON, requests without a decision 503; neither reaches the handler.
 */
export function authorize(
  decider: Decider,
  mapper: Mapper<FastifyRequest>,
  options?: AuthorizeOptions<FastifyRequest>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  const enforce = enforcer(decider, mapper, options)
  return async (request, reply) => {
    const { headers, refused } = await enforce(request)
    reply.headers(headers)
    return refused && reply.code(refused.status).send(refused.body)
  }
}
