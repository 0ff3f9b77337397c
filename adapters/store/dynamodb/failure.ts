/**
 * What went wrong on the way to DynamoDB, in the Store port's words: which code it is, whether the call may have taken effect all the same, and
 * whether another attempt may succeed.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
import { StoreError, type StoreErrorCode } from '../../../core/error.ts'
import { NAME } from './table.ts'

/** What the configuration says about the table, to be named in errors. */
export interface Place {
  readonly table: string
  readonly region: string
  /** Default: AWS's own of the region. */
  readonly endpoint?: string
}

export interface Failure {
  readonly kind: Kind
  readonly code: StoreErrorCode
  /** The call may have taken effect: nobody who could know has said that it has not. */
  readonly uncertain: boolean
  readonly again: boolean
  /** The service's or the system's own name for it. */
  readonly detail: string
  readonly cause: unknown
}

type Kind =
  | 'busy'
  | 'expired_credentials'
  | 'forbidden'
  | 'foreign'
  | 'insecure'
  | 'interrupted'
  | 'no_credentials'
  | 'no_table'
  | 'other_layout'
  | 'refused_credentials'
  | 'running'
  | 'skewed_clock'
  | 'throttled'
  | 'unknown_host'
  | 'unreachable'
  | 'unsupported'

const KINDS: Readonly<Record<Kind, Pick<Failure, 'again' | 'code' | 'uncertain'>>> = {
  throttled: { code: 'unavailable', uncertain: false, again: true },
  busy: { code: 'unavailable', uncertain: false, again: false },
  /** Of a transaction whose first attempt still runs. */
  running: { code: 'unavailable', uncertain: true, again: true },
  unreachable: { code: 'unavailable', uncertain: false, again: true },
  interrupted: { code: 'unavailable', uncertain: true, again: true },
  unknown_host: { code: 'misconfigured', uncertain: false, again: false },
  insecure: { code: 'misconfigured', uncertain: true, again: false },
  no_credentials: { code: 'denied', uncertain: false, again: false },
  refused_credentials: { code: 'denied', uncertain: false, again: false },
  expired_credentials: { code: 'denied', uncertain: false, again: false },
  forbidden: { code: 'denied', uncertain: false, again: false },
  skewed_clock: { code: 'misconfigured', uncertain: false, again: true },
  no_table: { code: 'misconfigured', uncertain: false, again: false },
  other_layout: { code: 'misconfigured', uncertain: false, again: false },
  /** A stand-in for DynamoDB that has not all of it. */
  unsupported: { code: 'misconfigured', uncertain: false, again: false },
  /** Something answers that does not speak DynamoDB's protocol. */
  foreign: { code: 'misconfigured', uncertain: true, again: false },
}

/** The name of the error for a request that found no free connection before its deadline. */
export const NO_CONNECTION = 'NoConnection'

const BY_NAME: Readonly<Record<string, Kind>> = {
  [NO_CONNECTION]: 'busy',
  ProvisionedThroughputExceededException: 'throttled',
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  TransactionConflictException: 'throttled',
  TransactionInProgressException: 'running',
  InternalServerError: 'interrupted',
  InternalServerErrorException: 'interrupted',
  ServiceUnavailable: 'interrupted',
  ServiceUnavailableException: 'interrupted',
  CredentialsProviderError: 'no_credentials',
  TokenProviderError: 'no_credentials',
  MissingAuthenticationToken: 'no_credentials',
  MissingAuthenticationTokenException: 'no_credentials',
  IncompleteSignatureException: 'refused_credentials',
  InvalidClientTokenId: 'refused_credentials',
  InvalidSignatureException: 'refused_credentials',
  SignatureDoesNotMatch: 'refused_credentials',
  UnrecognizedClientException: 'refused_credentials',
  ExpiredToken: 'expired_credentials',
  ExpiredTokenException: 'expired_credentials',
  AccessDeniedException: 'forbidden',
  RequestExpired: 'skewed_clock',
  RequestTimeTooSkewed: 'skewed_clock',
  ResourceNotFoundException: 'no_table',
  TableNotFoundException: 'no_table',
  UnknownOperationException: 'unsupported',
  ValidationException: 'other_layout',
}

/** Node's own codes: nothing was sent yet. What breaks a connection that stood is `interrupted`. */
const BY_CODE: Readonly<Record<string, Kind>> = {
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ENOTFOUND: 'unknown_host',
}
/** No certificate that is trusted here, or no TLS at all. */
const INSECURE = /^(CERT_|DEPTH_ZERO_|EPROTO$|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_)/

/** The members of an error that the SDK, Node or a parser throws. */
interface Thrown {
  readonly name?: string
  readonly code?: unknown
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

export function failureOf(cause: unknown): Failure {
  const thrown = cause as Thrown
  const kind = kindOf(thrown)
  const detail = typeof thrown.code === 'string' ? thrown.code : (thrown.name ?? 'no name')
  return { kind, ...KINDS[kind], detail, cause }
}

function kindOf({ $metadata, code, message = '', name = '' }: Thrown): Kind {
  // The only way to tell a wrong clock from a wrong secret: the service uses one name for both.
  if (name === 'InvalidSignatureException' && /Signature (expired|not yet current)/.test(message))
    return 'skewed_clock'
  const known = BY_NAME[name]
  if (known !== undefined) return known
  if (typeof code === 'string') {
    if (INSECURE.test(code)) return 'insecure'
    return BY_CODE[code] ?? 'interrupted'
  }
  // Without a code it is the SDK's own, for a connection that was never made.
  if (name === 'TimeoutError') return 'unreachable'
  const status = $metadata?.httpStatusCode
  return status !== undefined && status >= 300 && status < 500 ? 'foreign' : 'interrupted'
}

/** What the operator reads. `operation`: DynamoDB's name of it, as in `GetItem`. */
export function storeError(
  { cause, code, detail, kind }: Failure,
  place: Place,
  operation: string,
  outcome?: 'unknown',
): StoreError {
  const said = outcome === undefined ? WAY_OUT[kind](place) : UNKNOWN
  const told = outcome === undefined ? code : 'unknown_outcome'
  return new StoreError(NAME, told, `${operation}: ${said} (${detail})`, { cause })
}

const UNKNOWN = 'no answer says whether it was written; read it again'

/** Table, region and endpoint, as the configuration names them. */
export function named({ endpoint, region, table }: Place): string {
  const at = endpoint === undefined ? '' : ` at ${withoutSecrets(endpoint)}`
  return `table "${table}" in region ${region}${at}`
}

/** A URL may carry a password. */
function withoutSecrets(endpoint: string): string {
  const { host, protocol } = new URL(endpoint)
  return `${protocol}//${host}`
}

const WAY_OUT: Readonly<Record<Kind, (place: Place) => string>> = {
  busy: (place) => `too many requests for ${named(place)} wait; nothing was written; try again`,
  throttled: (place) => `${named(place)} takes no more for now; nothing was written; try again`,
  running: (place) => `${named(place)} is still at it; try again`,
  unreachable: (place) => `${named(place)} cannot be reached; check the network and store.endpoint`,
  interrupted: (place) => `${named(place)} gave no whole answer in time; try again`,
  unknown_host: (place) =>
    `${named(place)}: no such host; correct store.region${place.endpoint === undefined ? '' : ' or store.endpoint'}`,
  insecure: (place) =>
    `${named(place)} has no certificate that is trusted here; correct store.endpoint, or name its authority in NODE_EXTRA_CA_CERTS`,
  no_credentials: () =>
    'there are no AWS credentials; give the process a role, or a profile of its own',
  refused_credentials: (place) =>
    `${named(place)} refuses the AWS credentials; replace the access key or the role`,
  expired_credentials: () => 'the AWS credentials have expired; log in again, or renew the role',
  forbidden: (place) =>
    `the AWS credentials may not do this on ${named(place)}; give them the store's IAM policy`,
  skewed_clock: () =>
    "this machine's clock differs from AWS's by more than five minutes; set it, and keep it set by NTP",
  no_table: (place) =>
    `there is no ${named(place)}; correct store.table, store.region or store.endpoint, or run "assay store init"`,
  other_layout: (place) =>
    `${named(place)} has other keys than Assay's; name another table in store.table and run "assay store init"`,
  unsupported: (place) =>
    `what serves ${named(place)} has no such operation; do without it, or correct store.endpoint`,
  foreign: (place) => `what answers for ${named(place)} is not DynamoDB; correct store.endpoint`,
}
