/**
 * What goes wrong on the way to any service of AWS, in words that every port has. A client of one service adds what only that service says.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 */

export type AwsKind =
  | 'expired_credentials'
  | 'forbidden'
  | 'foreign'
  | 'insecure'
  | 'interrupted'
  | 'no_credentials'
  | 'refused_credentials'
  | 'skewed_clock'
  | 'throttled'
  | 'unknown_host'
  | 'unreachable'

/** What follows from a failure of one kind. */
export interface Follows<Code> {
  readonly code: Code
  /** The call may have taken effect: nobody who could know has said that it has not. */
  readonly uncertain: boolean
  /** Another attempt may succeed. */
  readonly again: boolean
}

export const AWS_KINDS: Readonly<
  Record<AwsKind, Follows<'denied' | 'misconfigured' | 'unavailable'>>
> = {
  throttled: { code: 'unavailable', uncertain: false, again: true },
  unreachable: { code: 'unavailable', uncertain: false, again: true },
  interrupted: { code: 'unavailable', uncertain: true, again: true },
  unknown_host: { code: 'misconfigured', uncertain: false, again: false },
  /** Mostly before anything was sent; TLS can break later too. */
  insecure: { code: 'misconfigured', uncertain: true, again: false },
  no_credentials: { code: 'denied', uncertain: false, again: false },
  refused_credentials: { code: 'denied', uncertain: false, again: false },
  expired_credentials: { code: 'denied', uncertain: false, again: false },
  forbidden: { code: 'denied', uncertain: false, again: false },
  /** The SDK corrects itself by the time in the answer: the next attempt shows whether that was enough. */
  skewed_clock: { code: 'misconfigured', uncertain: false, again: true },
  /** Something answers that does not speak the service's protocol. */
  foreign: { code: 'misconfigured', uncertain: true, again: false },
}

const BY_NAME: ReadonlyMap<string, AwsKind> = new Map<string, AwsKind>([
  ['RequestLimitExceeded', 'throttled'],
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['InternalFailure', 'interrupted'],
  ['ServiceUnavailable', 'interrupted'],
  ['ServiceUnavailableException', 'interrupted'],
  ['CredentialsProviderError', 'no_credentials'],
  ['TokenProviderError', 'no_credentials'],
  ['MissingAuthenticationToken', 'no_credentials'],
  ['MissingAuthenticationTokenException', 'no_credentials'],
  ['IncompleteSignature', 'refused_credentials'],
  ['IncompleteSignatureException', 'refused_credentials'],
  ['InvalidClientTokenId', 'refused_credentials'],
  ['InvalidSignatureException', 'refused_credentials'],
  ['SignatureDoesNotMatch', 'refused_credentials'],
  ['UnrecognizedClientException', 'refused_credentials'],
  ['ExpiredToken', 'expired_credentials'],
  ['ExpiredTokenException', 'expired_credentials'],
  ['AccessDenied', 'forbidden'],
  ['AccessDeniedException', 'forbidden'],
  ['NotAuthorized', 'forbidden'],
  ['RequestExpired', 'skewed_clock'],
  ['RequestTimeTooSkewed', 'skewed_clock'],
])

/** Node's own codes: nothing was sent yet. What breaks a connection that stood is `interrupted`. */
const BY_CODE: ReadonlyMap<string, AwsKind> = new Map<string, AwsKind>([
  ['ECONNREFUSED', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EAI_AGAIN', 'unreachable'],
  ['ENOTFOUND', 'unknown_host'],
])
/** No certificate that is trusted here, or no TLS at all. */
const INSECURE = /^(CERT_|DEPTH_ZERO_|EPROTO$|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_)/

/** The members of an error that the SDK, Node or a parser throws. */
export interface Thrown {
  readonly name?: string
  readonly code?: unknown
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

/** The service's or the system's own name for it. */
export function detailOf({ code, name }: Thrown): string {
  return typeof code === 'string' ? code : (name ?? 'no name')
}

/** By the name that an answer has, the service's own names first. Undefined: it has none that is known. */
export function kindOfName<Own>(
  { message = '', name = '' }: Thrown,
  own: ReadonlyMap<string, Own>,
): AwsKind | Own | undefined {
  // The only way to tell a wrong clock from a wrong secret: services use one name for both.
  if (name === 'InvalidSignatureException' && /Signature (expired|not yet current)/.test(message))
    return 'skewed_clock'
  return own.get(name) ?? BY_NAME.get(name)
}

/** By what the connection did. Undefined: there was an answer. */
export function kindOfConnection({ code }: Thrown): AwsKind | undefined {
  if (typeof code !== 'string') return undefined
  return INSECURE.test(code) ? 'insecure' : BY_CODE.get(code)
}

/** What the configuration says about a service, to be named in errors. */
export interface Place {
  /** The member of the configuration, as in `custody`. */
  readonly setting: string
  /** What is there, with its region. */
  readonly named: string
  /** Default: AWS's own of the region. */
  readonly endpoint?: string
}

/** ` at URL`, without a password that it may carry; nothing for AWS's own endpoint. */
export function atEndpoint(endpoint: string | undefined): string {
  if (endpoint === undefined) return ''
  const { host, protocol } = new URL(endpoint)
  return ` at ${protocol}//${host}`
}

/** What the operator does about it; not for `forbidden` and `foreign`, where a service knows more. */
export const WAYS_OUT: Readonly<
  Record<Exclude<AwsKind, 'forbidden' | 'foreign' | 'throttled'>, (place: Place) => string>
> = {
  unreachable: ({ named, setting }) =>
    `${named} cannot be reached; check the network and ${setting}.endpoint`,
  interrupted: ({ named }) => `${named} gave no whole answer in time; try again`,
  unknown_host: ({ endpoint, named, setting }) =>
    `${named}: no such host; correct ${setting}.region${endpoint === undefined ? '' : ` or ${setting}.endpoint`}`,
  insecure: ({ named, setting }) =>
    `${named} has no certificate that is trusted here; correct ${setting}.endpoint, or name its authority in NODE_EXTRA_CA_CERTS`,
  no_credentials: () =>
    'there are no AWS credentials; give the process a role, or a profile of its own',
  refused_credentials: ({ named }) =>
    `${named} refuses the AWS credentials; replace the access key or the role`,
  expired_credentials: () => 'the AWS credentials have expired; log in again, or renew the role',
  skewed_clock: () =>
    "this machine's clock differs from AWS's by more than five minutes; set it, and keep it set by NTP",
}
