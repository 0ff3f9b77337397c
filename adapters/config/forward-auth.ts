/** The member `http.forwardAuth` of a configuration file. */
import { z } from 'zod'

/** What adapters/transport/http/forward-options.ts explains. */
export interface ForwardAuthConfig {
  readonly proxy: 'caddy' | 'envoy' | 'nginx' | 'traefik'
  readonly path?: string
  readonly hosts?: readonly string[]
  readonly subject?: {
    readonly header: string
    readonly type?: string
    readonly from?: readonly string[]
  }
  readonly routes?: readonly ForwardRouteConfig[]
  readonly claims?: { readonly headers?: readonly string[]; readonly query?: readonly string[] }
  readonly upstreamHeader?: string
}
export interface ForwardRouteConfig {
  readonly methods?: readonly string[]
  readonly host?: string
  readonly path: string
  readonly action: string
  readonly resource: { readonly type: string; readonly id: string }
}

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,128}$/)
const hostName = z.string().min(1).max(253)
const forwardRoute = z.strictObject({
  methods: z
    .array(z.string().regex(/^[A-Z][A-Z0-9-]{0,31}$/))
    .min(1)
    .max(32)
    .describe('Default: all')
    .exactOptional(),
  host: hostName.exactOptional(),
  path: z
    .string()
    .startsWith('/')
    .max(2048)
    .describe('Literal segments, {name} for one segment, {name*} at the end for the rest'),
  action: z.string().min(1).max(256),
  resource: z.strictObject({
    type: z.string().min(1).max(64),
    id: z.string().min(1).max(256).describe('{name} stands for what the path has there'),
  }),
})
export const forwardAuthSchema: z.ZodType<ForwardAuthConfig> = z
  .strictObject({
    proxy: z.enum(['envoy', 'nginx', 'traefik', 'caddy']).describe('Whose headers are read'),
    path: z
      .string()
      .regex(/^(?:\/[a-z0-9_-]+)+$/)
      .describe('Where the proxy asks; default /authorize')
      .exactOptional(),
    hosts: z
      .array(hostName)
      .min(1)
      .max(256)
      .describe('Names of the protected services')
      .exactOptional(),
    subject: z
      .strictObject({
        header: headerName.describe(
          'A header that the proxy sets on every request, over what the client sent',
        ),
        type: z.string().min(1).max(64).describe('Default user').exactOptional(),
        from: z
          .array(z.string().min(1).max(256))
          .min(1)
          .max(64)
          .describe(
            'Ids of the authenticated proxies whose word counts; others are asked about as themselves',
          )
          .exactOptional(),
      })
      .describe('Who asks, as the proxy says; default: the peer that this server authenticated')
      .exactOptional(),
    routes: z.array(forwardRoute).max(1000).describe('The first that fits').exactOptional(),
    claims: z
      .strictObject({
        headers: z.array(headerName).max(32).exactOptional(),
        query: z.array(z.string().min(1).max(256)).max(32).exactOptional(),
      })
      .describe('Headers and query parameters that rules may look at; they are kept in the log')
      .exactOptional(),
    upstreamHeader: headerName.describe('Tells the upstream who it is, as type/id').exactOptional(),
  })
  .describe('Answer what proxies ask before they let a request through')
