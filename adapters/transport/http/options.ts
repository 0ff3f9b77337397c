/** What the HTTP transport can be told, its defaults, and the refusal of everything else before a socket is opened. */
import { TransportError } from '../../../core/error.ts'
import type { Seal } from '../../../core/kernel.ts'
import type { Audit } from '../../../core/ports/audit.ts'
import type { ForwardAuthOptions } from './forward-options.ts'
import type { OpaView } from './opa-wire.ts'
import type { Operations } from './operations.ts'
import type { TlsEvent, TlsOptions } from './tls.ts'

/** What the app needs wherever it is served. */
export interface AppOptions {
  /** The base URL that clients use, without query and fragment: the `policy_decision_point` of the metadata. */
  readonly publicUrl: string
  /** One byte more is refused with 413 before dispatch. Default 65,536; at most 16 MiB. */
  readonly maxBodyBytes?: number
  /** Requests under way, bodies still arriving included; over it 503 with Retry-After. Default 1,024. */
  readonly maxConcurrent?: number
  /** Items in one `evaluations` request. Default 100; at most 400, since their ids travel in one header. */
  readonly evaluationsMax?: number
  /** What a caller waits for who does not say. Default: the kernel's, `sealed`. */
  readonly seal?: Seal
  /** Answers queries, and says which openings go with a receipt. Default: no queries, and receipts without openings. */
  readonly audit?: Audit
  /** OPA's REST API over the policies that it names. Default: no such endpoints. */
  readonly opa?: OpaView
  /** For those who run the server: metrics, readiness, traces and lines about requests. */
  readonly operations?: Operations
  /** Host names, without port, that a request may be for. Default: any. It keeps web pages that rebind their name out. */
  readonly hosts?: readonly string[]
}

export interface HttpOptions extends Omit<AppOptions, 'hosts' | 'publicUrl'> {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: the system picks one. */
  readonly port?: number
  /** Default: where it listens. */
  readonly publicUrl?: string
  /** For the whole request to arrive, in milliseconds; over it 408. Default 10,000; at most 600,000. */
  readonly requestTimeoutMs?: number
  /** Default: plain HTTP. */
  readonly tls?: TlsOptions
  /** Hears when the files of {@link tls} changed. */
  readonly onTls?: (event: TlsEvent) => void
  /** `none`: every peer is `anonymous`. */
  readonly auth?: 'none'
  /** Serve without authentication beyond this machine, under any host name. Default false. */
  readonly allowNonLoopback?: boolean
  /** Answer what proxies ask before they let a request through. Default: no such endpoint. */
  readonly forwardAuth?: ForwardAuthOptions
}

export type Limits = Required<
  Pick<AppOptions, 'evaluationsMax' | 'maxBodyBytes' | 'maxConcurrent'>
> & { readonly seal: Seal | undefined }

export interface Listening {
  readonly host: string
  readonly port: number
  readonly publicUrl: string | undefined
  readonly requestTimeoutMs: number
  /** Undefined: any. */
  readonly hosts: readonly string[] | undefined
}

/** @throws TransportError `invalid_options` */
export function readLimits(options: Omit<AppOptions, 'publicUrl'>): Limits {
  const { maxBodyBytes = 65_536, maxConcurrent = 1024, evaluationsMax = 100, seal } = options
  whole('maxBodyBytes', maxBodyBytes, 1, 16_777_216)
  whole('maxConcurrent', maxConcurrent, 1, 1_000_000)
  whole('evaluationsMax', evaluationsMax, 1, 400)
  if (seal !== undefined && seal !== 'durable' && seal !== 'sealed')
    throw invalid('seal is durable or sealed')
  return { maxBodyBytes, maxConcurrent, evaluationsMax, seal }
}

/** @throws TransportError `invalid_options` */
export function readListening(options: HttpOptions): Listening {
  const { host = '127.0.0.1', port = 0, requestTimeoutMs = 10_000 } = options
  const { auth = 'none', allowNonLoopback = false } = options
  whole('port', port, 0, 65_535)
  whole('requestTimeoutMs', requestTimeoutMs, 1, 600_000)
  if (auth !== 'none') throw invalid('auth is none; other ways are not there yet')
  if (typeof host !== 'string' || host === '' || /[\s/]/.test(host))
    throw invalid('host is an address or a name to listen on')
  if (!allowNonLoopback && !isLoopback(host))
    throw invalid(
      `without authentication only loopback is served, and ${host} is not; listen on 127.0.0.1, or set allowNonLoopback`,
    )
  const publicUrl = options.publicUrl === undefined ? undefined : readBaseUrl(options.publicUrl)
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).hostname]
  // Envoy asks under the name of the service that it protects.
  const forwarded = (options.forwardAuth?.hosts ?? []).map((name) => name.toLowerCase())
  const hosts = allowNonLoopback
    ? undefined
    : [...LOOPBACK_NAMES, bracketed(host), ...named, ...forwarded]
  return { host, port, publicUrl, requestTimeoutMs, hosts }
}

/** Without a slash at the end. @throws TransportError `invalid_options` */
export function readBaseUrl(text: string): string {
  if (!URL.canParse(text)) throw invalid('publicUrl is not a URL')
  const url = new URL(text)
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw invalid('publicUrl is an http or https URL without user and password')
  if (/[?#]/.test(text)) throw invalid('publicUrl has neither query nor fragment')
  return text.replace(/\/+$/, '')
}

/** As it stands in a URL. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]']

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function whole(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw invalid(`${name} is a whole number from ${min} to ${max}`)
}

function invalid(what: string): TransportError {
  return new TransportError('transport/http', 'invalid_options', what)
}
