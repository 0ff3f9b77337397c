/**
 * What went wrong on the way to KMS, in the Custody port's words: which code it is, whether the call may have taken effect all the same, and
 * whether another attempt may succeed.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'

export const NAME = 'custody/kms'

export function refuse(code: CustodyErrorCode, what: string): CustodyError {
  return new CustodyError(NAME, code, what)
}

/** What the configuration says about KMS, to be named in errors. */
export interface Place {
  readonly region: string
  /** Default: AWS's own of the region. */
  readonly endpoint?: string
}

export interface Failure {
  readonly kind: Kind
  readonly code: CustodyErrorCode
  /** The call may have taken effect: nobody who could know has said that it has not. */
  readonly uncertain: boolean
  readonly again: boolean
  /** The service's or the system's own name for it. */
  readonly detail: string
}

type Kind =
  | 'disabled'
  | 'expired_credentials'
  | 'forbidden'
  | 'foreign'
  | 'insecure'
  | 'interrupted'
  | 'no_credentials'
  | 'no_key'
  | 'quota'
  | 'refused_credentials'
  | 'skewed_clock'
  | 'taken'
  | 'throttled'
  | 'unknown_host'
  | 'unreachable'
  | 'wrong_kind'

const KINDS: Readonly<Record<Kind, Pick<Failure, 'again' | 'code' | 'uncertain'>>> = {
  throttled: { code: 'unavailable', uncertain: false, again: true },
  quota: { code: 'unavailable', uncertain: false, again: true },
  unreachable: { code: 'unavailable', uncertain: false, again: true },
  interrupted: { code: 'unavailable', uncertain: true, again: true },
  unknown_host: { code: 'misconfigured', uncertain: false, again: false },
  insecure: { code: 'misconfigured', uncertain: false, again: false },
  no_credentials: { code: 'denied', uncertain: false, again: false },
  refused_credentials: { code: 'denied', uncertain: false, again: false },
  expired_credentials: { code: 'denied', uncertain: false, again: false },
  forbidden: { code: 'denied', uncertain: false, again: false },
  /** The SDK corrects itself by the time in the answer: the next attempt shows whether that was enough. */
  skewed_clock: { code: 'misconfigured', uncertain: false, again: true },
  /** The key is disabled, or waits for its deletion. */
  disabled: { code: 'misconfigured', uncertain: false, again: false },
  no_key: { code: 'unknown_key', uncertain: false, again: false },
  taken: { code: 'duplicate_key', uncertain: false, again: false },
  wrong_kind: { code: 'misconfigured', uncertain: false, again: false },
  /** Something answers that does not speak KMS's protocol. */
  foreign: { code: 'misconfigured', uncertain: true, again: false },
}

const BY_NAME: Readonly<Record<string, Kind>> = {
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  LimitExceededException: 'quota',
  DependencyTimeoutException: 'interrupted',
  InternalFailure: 'interrupted',
  KeyUnavailableException: 'interrupted',
  KMSInternalException: 'interrupted',
  ServiceUnavailable: 'interrupted',
  ServiceUnavailableException: 'interrupted',
  CredentialsProviderError: 'no_credentials',
  TokenProviderError: 'no_credentials',
  MissingAuthenticationToken: 'no_credentials',
  MissingAuthenticationTokenException: 'no_credentials',
  IncompleteSignature: 'refused_credentials',
  IncompleteSignatureException: 'refused_credentials',
  InvalidClientTokenId: 'refused_credentials',
  InvalidSignatureException: 'refused_credentials',
  SignatureDoesNotMatch: 'refused_credentials',
  UnrecognizedClientException: 'refused_credentials',
  ExpiredToken: 'expired_credentials',
  ExpiredTokenException: 'expired_credentials',
  AccessDenied: 'forbidden',
  AccessDeniedException: 'forbidden',
  NotAuthorized: 'forbidden',
  RequestExpired: 'skewed_clock',
  RequestTimeTooSkewed: 'skewed_clock',
  DisabledException: 'disabled',
  KMSInvalidStateException: 'disabled',
  NotFoundException: 'no_key',
  AlreadyExistsException: 'taken',
  InvalidKeyUsageException: 'wrong_kind',
  UnsupportedOperationException: 'wrong_kind',
  ValidationException: 'wrong_kind',
  InvalidArnException: 'wrong_kind',
}

/** Node's own codes: nothing was sent yet. What breaks a connection that stood is `interrupted`. */
const BY_CODE: Readonly<Record<string, Kind>> = {
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ENOTFOUND: 'unknown_host',
}
/** Also before anything was sent: no certificate that is trusted here, or no TLS at all. */
const INSECURE = /^(CERT_|DEPTH_ZERO_|EPROTO|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_)/

/** The members of an error that the SDK, Node or a parser throws. */
interface Thrown {
  readonly name?: string
  readonly code?: unknown
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

/** An answer lacks what every answer of KMS has. */
export class Incomplete extends Error {
  override readonly name = 'IncompleteAnswer'
}

export function failureOf(thrown: unknown): Failure {
  const error = thrown as Thrown
  const kind = kindOf(error)
  const detail = typeof error.code === 'string' ? error.code : (error.name ?? 'no name')
  return { kind, ...KINDS[kind], detail }
}

function kindOf(error: Thrown): Kind {
  const { $metadata, code, message = '', name = '' } = error
  // The only way to tell a wrong clock from a wrong secret: the service uses one name for both.
  if (name === 'InvalidSignatureException' && /Signature (expired|not yet current)/.test(message))
    return 'skewed_clock'
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined
  if (known !== undefined) return known
  const status = $metadata?.httpStatusCode ?? error.$response?.statusCode ?? 0
  // A good answer that is whole and not KMS's comes from somebody else; a gateway's bad one is no JSON either.
  if (error instanceof Incomplete) return 'foreign'
  if (status === 401 || status === 403) return 'forbidden'
  if (name === 'SyntaxError') return status >= 500 ? 'interrupted' : 'foreign'
  if (typeof code === 'string' && INSECURE.test(code)) return 'insecure'
  if (typeof code === 'string' && Object.hasOwn(BY_CODE, code)) return BY_CODE[code] as Kind
  if (status === 429) return 'throttled'
  return status >= 300 && status < 500 ? 'foreign' : 'interrupted'
}

/** A call that KMS, or the way to it, refused in the end. Without a cause: the SDK's errors hold the request and its headers. */
export class CallFailed extends CustodyError {
  readonly failure: Failure
  /** @param action KMS's name of it, as in `Sign` */
  constructor(failure: Failure, place: Place, action: string) {
    const { code, detail, kind } = failure
    super(NAME, code, `kms:${action}: ${WAY_OUT[kind](place, action)} (${detail})`)
    this.failure = failure
  }
}

/** Region and endpoint, as the configuration names them. */
export function named({ endpoint, region }: Place): string {
  const at = endpoint === undefined ? '' : ` at ${withoutSecrets(endpoint)}`
  return `KMS in region ${region}${at}`
}

/** A URL may carry a password. */
function withoutSecrets(endpoint: string): string {
  const { host, protocol } = new URL(endpoint)
  return `${protocol}//${host}`
}

const WAY_OUT: Readonly<Record<Kind, (place: Place, action: string) => string>> = {
  throttled: (place) => `${named(place)} takes no more for now; try again, or ask AWS for more`,
  quota: (place) => `${named(place)} is at a quota (keys, or aliases of a key); ask AWS for more`,
  unreachable: (place) =>
    `${named(place)} cannot be reached; check the network and custody.endpoint`,
  interrupted: (place) => `${named(place)} gave no whole answer in time; try again`,
  unknown_host: (place) =>
    `${named(place)}: no such host; correct custody.region${place.endpoint === undefined ? '' : ' or custody.endpoint'}`,
  insecure: (place) =>
    `${named(place)} has no certificate that is trusted here; correct custody.endpoint, or name its authority in NODE_EXTRA_CA_CERTS`,
  no_credentials: () =>
    'there are no AWS credentials; give the process a role, or a profile of its own',
  refused_credentials: (place) =>
    `${named(place)} refuses the AWS credentials; replace the access key or the role`,
  expired_credentials: () => 'the AWS credentials have expired; log in again, or renew the role',
  forbidden: (place, action) =>
    `the AWS credentials lack kms:${action} in ${named(place)}; give them the IAM policy of custody kms`,
  skewed_clock: () =>
    "this machine's clock differs from AWS's by more than five minutes; set it, and keep it set by NTP",
  disabled: (place) =>
    `${named(place)} has the key disabled or about to be deleted; cancel the deletion and enable it, or activate another version`,
  no_key: (place) =>
    `${named(place)} has no such key; correct custody.region and the AWS account, or restore the key`,
  taken: () => 'there is such an alias already; try again',
  wrong_kind: (place, action) =>
    action === 'CreateKey'
      ? `${named(place)} makes no keys of this kind; correct custody.algorithms or custody.endpoint`
      : `${named(place)} has a key of another kind behind the alias; correct custody.prefix and custody.region`,
  foreign: (place) => `what answers for ${named(place)} is not KMS; correct custody.endpoint`,
}
