/**
 * What went wrong on the way to KMS, in the Custody port's words: which code it is, whether the call may have taken effect all the same, and
 * whether another attempt may succeed.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
import { CustodyError, type CustodyErrorCode } from '../../../core/error.ts'
import {
  AWS_KINDS,
  type AwsKind,
  atEndpoint,
  detailOf,
  type Follows,
  kindOfConnection,
  kindOfName,
  type Thrown,
  WAYS_OUT,
} from '../../aws/failure.ts'

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

export interface Failure extends Follows<CustodyErrorCode> {
  readonly kind: Kind
  /** The service's or the system's own name for it. */
  readonly detail: string
}

type OwnKind = 'disabled' | 'no_key' | 'quota' | 'taken' | 'wrong_kind'
type Kind = AwsKind | OwnKind

const KINDS: Readonly<Record<Kind, Follows<CustodyErrorCode>>> = {
  ...AWS_KINDS,
  quota: { code: 'unavailable', uncertain: false, again: true },
  /** The key is disabled, or waits for its deletion. */
  disabled: { code: 'misconfigured', uncertain: false, again: false },
  no_key: { code: 'unknown_key', uncertain: false, again: false },
  taken: { code: 'duplicate_key', uncertain: false, again: false },
  wrong_kind: { code: 'misconfigured', uncertain: false, again: false },
}

const BY_NAME: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['LimitExceededException', 'quota'],
  ['DependencyTimeoutException', 'interrupted'],
  ['KeyUnavailableException', 'interrupted'],
  ['KMSInternalException', 'interrupted'],
  ['DisabledException', 'disabled'],
  ['KMSInvalidStateException', 'disabled'],
  ['NotFoundException', 'no_key'],
  ['AlreadyExistsException', 'taken'],
  ['InvalidKeyUsageException', 'wrong_kind'],
  ['UnsupportedOperationException', 'wrong_kind'],
  ['ValidationException', 'wrong_kind'],
  ['InvalidArnException', 'wrong_kind'],
])

/** An answer lacks what every answer of KMS has. */
export class Incomplete extends Error {
  override readonly name = 'IncompleteAnswer'
}

export function failureOf(thrown: unknown): Failure {
  const error = thrown as Thrown
  const kind = kindOfName(error, BY_NAME) ?? kindOfAnswer(error)
  return { kind, ...KINDS[kind], detail: detailOf(error) }
}

/** It has no name that is known. */
function kindOfAnswer(error: Thrown): AwsKind {
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode ?? 0
  // A good answer that is whole and not KMS's comes from somebody else; a gateway's bad one is no JSON either.
  if (error instanceof Incomplete) return 'foreign'
  if (status === 401 || status === 403) return 'forbidden'
  if (error.name === 'SyntaxError') return status >= 500 ? 'interrupted' : 'foreign'
  const connection = kindOfConnection(error)
  if (connection !== undefined) return connection
  if (status === 429) return 'throttled'
  return status >= 300 && status < 500 ? 'foreign' : 'interrupted'
}

/** A call that KMS, or the way to it, refused in the end. Without a cause: the SDK's errors hold the request and its headers. */
export class CallFailed extends CustodyError {
  readonly failure: Failure
  /** @param action KMS's name of it, as in `Sign` */
  constructor(failure: Failure, place: Place, action: string) {
    const { code, detail, kind } = failure
    super(NAME, code, `kms:${action}: ${wayOut(kind, place, action)} (${detail})`)
    this.failure = failure
  }
}

/** Region and endpoint, as the configuration names them. */
export function named({ endpoint, region }: Place): string {
  return `KMS in region ${region}${atEndpoint(endpoint)}`
}

function wayOut(kind: Kind, place: Place, action: string): string {
  return kind in WAYS_OUT
    ? WAYS_OUT[kind as keyof typeof WAYS_OUT]({ ...place, named: named(place), setting: 'custody' })
    : OWN_WAYS_OUT[kind as keyof typeof OWN_WAYS_OUT](place, action)
}

const OWN_WAYS_OUT: Readonly<
  Record<Exclude<Kind, keyof typeof WAYS_OUT>, (place: Place, action: string) => string>
> = {
  throttled: (place) => `${named(place)} takes no more for now; try again, or ask AWS for more`,
  quota: (place) => `${named(place)} is at a quota (keys, or aliases of a key); ask AWS for more`,
  forbidden: (place, action) =>
    `the AWS credentials lack kms:${action} in ${named(place)}; give them the IAM policy of custody kms`,
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
