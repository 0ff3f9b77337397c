/** What a configuration says about who may ask and how: TLS, authentication, limits. */
import { z } from 'zod'

export interface TlsConfig {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string
  readonly requireClientCert?: boolean
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

const path = z.string().min(1).max(4096)

export const tlsSchema: z.ZodType<TlsConfig> = z
  .strictObject({
    cert: path.describe('A PEM file: the certificate and the ones between it and its root'),
    key: path.describe('A PEM file: the private key'),
    clientCa: path.describe('A PEM file: roots of client certificates').exactOptional(),
    requireClientCert: z
      .boolean()
      .describe('End connections without a certificate of clientCa; default true')
      .exactOptional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).describe('Default TLSv1.2').exactOptional(),
  })
  .describe('HTTPS. The files are read again when they change')

/** With absolute paths. */
export function completeTls(tls: TlsConfig, at: (path: string) => string): TlsConfig {
  const { cert, clientCa, key } = tls
  const roots = clientCa === undefined ? {} : { clientCa: at(clientCa) }
  return { ...tls, cert: at(cert), key: at(key), ...roots }
}
