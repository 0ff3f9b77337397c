/** What the HTTP transport can be told, its defaults, and the refusal of everything else before a socket is opened. */
import { TransportError } from '../../../core/error.ts'
import type { Kernel, Seal } from '../../../core/kernel.ts'
import type { Receipt } from '../../../core/log/receipt.ts'
import type { Audit } from '../../../core/ports/audit.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Authenticator } from './auth.ts'
import { type AuthMethod, type AuthOption, readMethods } from './auth-options.ts'
import type { OpenGroup } from './call.ts'
import type { CorsOptions } from './cors.ts'
import type { ForwardAuthOptions } from './forward-options.ts'
import type { RateLimits } from './guard.ts'
import type { OpaView } from './opa-wire.ts'
import type { Operations } from './operations.ts'
import { isRealmName } from './realm.ts'
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
  readonly seal?: Seal | undefined
  /** Answers queries, and says which openings go with a receipt. Default: no queries, and receipts without openings. */
  readonly audit?: Audit | undefined
  /** Says why, to whoever may open all of a decision: policy text and data too. Needs {@link audit}. Default: nobody is told. */
  readonly explain?: Explain | undefined
  /** OPA's REST API over the policies that it names. Default: no such endpoints. */
  readonly opa?: OpaView | undefined
  /** For those who run the server: metrics, readiness, traces and lines about requests. */
  readonly operations?: Operations | undefined
  /** Who asks; opened with `openAuth`. Default: nobody is asked, and every peer is `anonymous`. */
  readonly auth?: Authenticator
  /** What can be read without authentication. Default: `health`, `log` and `metadata`. */
  readonly open?: readonly OpenGroup[]
  /** Default: no limits. Needs a {@link clock}. */
  readonly rateLimit?: RateLimits | undefined
  /** Addresses and networks of proxies whose X-Forwarded-For says where a request comes from. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** Default: pages of other origins cannot read an answer. */
  readonly cors?: CorsOptions
  /** For limits, and for the validity of tokens and certificates. */
  readonly clock?: Clock
  /** The one that this is the server of, where a process serves several. */
  readonly realm?: string
  /** Host names, without port, that a request may be for. Default: any. It keeps web pages that rebind their name out. */
  readonly hosts?: readonly string[]
}

/** Explains a decision from the openings that its receipt has. @throws KernelError it cannot be explained, or not to whoever asks */
export type Explain = (receipt: Pick<Receipt, 'leaf' | 'openings'>) => Promise<object>

/** One of several realms: its own kernel, and its own limits. */
export interface RealmOptions
  extends Pick<AppOptions, 'audit' | 'explain' | 'opa' | 'operations' | 'rateLimit' | 'seal'> {
  readonly kernel: Kernel
}

export interface HttpOptions extends Omit<AppOptions, 'auth' | 'hosts' | 'publicUrl' | 'realm'> {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: the system picks one. */
  readonly port?: number
  /** Default: where it listens. */
  readonly publicUrl?: string
  /** For the whole request to arrive, in milliseconds; over it 408. Default 10,000; at most 600,000. */
  readonly requestTimeoutMs?: number
  /** Open connections; a further one is closed at once. Default 4,096. */
  readonly maxConnections?: number
  /** Default: plain HTTP. */
  readonly tls?: TlsOptions
  /** How callers are authenticated; with several methods each caller by what it presents. Default `none`: every peer is `anonymous`. */
  readonly auth?: AuthOption
  /** Hears when files of {@link tls} or {@link auth} changed. */
  readonly onEvent?: (event: HttpEvent) => void
  /** Serve without authentication beyond this machine, under any host name. Default false. */
  readonly allowNonLoopback?: boolean
  /** Take tokens over plain HTTP beyond this machine: where a proxy in front ends TLS. Default false. */
  readonly allowPlainHttp?: boolean
  /** By name: served under `/realms/NAME`, beside the server's own kernel. */
  readonly realms?: Readonly<Record<string, RealmOptions>>
  /** Milliseconds between two looks at files that may change. Default 1,000. */
  readonly lookMs?: number
  /** Answer what proxies ask before they let a request through. Default: no such endpoint. */
  readonly forwardAuth?: ForwardAuthOptions
}

export type HttpEvent =
  | TlsEvent
  | { readonly kind: 'auth_reloaded' }
  | { readonly kind: 'auth_refused'; readonly message: string }

/** They decide nothing, and what they show is made to be published or to be polled. */
export const DEFAULT_OPEN: readonly OpenGroup[] = ['health', 'log', 'metadata']

export type Limits = Required<
  Pick<AppOptions, 'evaluationsMax' | 'maxBodyBytes' | 'maxConcurrent'>
> & { readonly seal: Seal | undefined }

export interface Listening {
  readonly host: string
  readonly port: number
  readonly publicUrl: string | undefined
  readonly requestTimeoutMs: number
  readonly maxConnections: number
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
  const { maxConnections = 4096 } = options
  whole('port', port, 0, 65_535)
  whole('requestTimeoutMs', requestTimeoutMs, 1, 600_000)
  whole('maxConnections', maxConnections, 1, 1_000_000)
  if (typeof host !== 'string' || host === '' || /[\s/]/.test(host))
    throw invalid('host is an address or a name to listen on')
  const methods = readMethods(options.auth ?? 'none')
  checkReach(host, methods, options)
  checkRealms(methods, options)
  const publicUrl = options.publicUrl === undefined ? undefined : readBaseUrl(options.publicUrl)
  const hosts = hostsOf(host, publicUrl, methods, options)
  return { host, port, publicUrl, requestTimeoutMs, maxConnections, hosts }
}

/** Who can reach what: nobody unknown beyond this machine, and no token where others can read it, unless that is meant. */
function checkReach(host: string, methods: readonly AuthMethod[], options: HttpOptions): void {
  const { allowNonLoopback = false, allowPlainHttp = false, tls } = options
  if (methods.some(({ kind }) => kind === 'mtls') && tls?.clientCa === undefined)
    throw invalid('the method mtls needs tls with a clientCa')
  if (isLoopback(host)) return
  if (options.forwardAuth?.subject !== undefined && methods.some(({ kind }) => kind === 'none'))
    throw invalid(
      `forwardAuth believes a header about who asks, and anybody who reaches ${host} can write it; let the proxy authenticate itself`,
    )
  if (!allowNonLoopback && methods.some(({ kind }) => kind === 'none'))
    throw invalid(
      `without authentication only loopback is served, and ${host} is not; listen on 127.0.0.1, or set allowNonLoopback`,
    )
  if (!allowPlainHttp && tls === undefined && methods.some(takesTokens))
    throw invalid(
      `tokens would reach ${host} in clear text; set tls, or allowPlainHttp where a proxy in front ends TLS`,
    )
}

const takesTokens = ({ kind }: AuthMethod): boolean => kind === 'bearer' || kind === 'jwt'

function checkRealms(methods: readonly AuthMethod[], { realms = {} }: HttpOptions): void {
  for (const name of Object.keys(realms))
    if (!isRealmName(name))
      throw invalid("a realm's name has lower-case letters, digits and -, at most 32")
  for (const realm of methods.flatMap(realmsOf))
    if (!Object.hasOwn(realms, realm))
      throw invalid(`auth names the realm ${realm}, which is not served here`)
}

function realmsOf(method: AuthMethod): readonly string[] {
  const named = method.kind === 'bearer' ? method.tokens : [method]
  return named.flatMap((one) => ('realm' in one && one.realm !== undefined ? [one.realm] : []))
}

/** Whoever must say who they are cannot be had by a page that rebinds its name. */
function hostsOf(
  host: string,
  publicUrl: string | undefined,
  methods: readonly AuthMethod[],
  { allowNonLoopback = false, forwardAuth }: HttpOptions,
): readonly string[] | undefined {
  if (allowNonLoopback || !methods.some(({ kind }) => kind === 'none')) return undefined
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).hostname]
  // Envoy asks under the name of the service that it protects.
  const forwarded = (forwardAuth?.hosts ?? []).map((name) => name.toLowerCase())
  return [...LOOPBACK_NAMES, bracketed(host), ...named, ...forwarded]
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
