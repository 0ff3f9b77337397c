/**
 * What went wrong on the way to DynamoDB, in the Store port's words: which code it is, whether the call may have taken effect all the same, and
 * whether another attempt may succeed.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
import { StoreError, type StoreErrorCode } from '../../../core/error.ts'
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
import { NAME } from './table.ts'

/** What the configuration says about the table, to be named in errors. */
export interface Place {
  readonly table: string
  readonly region: string
  /** Default: AWS's own of the region. */
  readonly endpoint?: string
}

export interface Failure extends Follows<StoreErrorCode> {
  readonly kind: Kind
  /** The service's or the system's own name for it. */
  readonly detail: string
  readonly cause: unknown
}

type OwnKind = 'busy' | 'no_table' | 'other_layout' | 'running' | 'unsupported'
type Kind = AwsKind | OwnKind

const KINDS: Readonly<Record<Kind, Follows<StoreErrorCode>>> = {
  ...AWS_KINDS,
  busy: { code: 'unavailable', uncertain: false, again: false },
  /** Of a transaction whose first attempt still runs. */
  running: { code: 'unavailable', uncertain: true, again: true },
  no_table: { code: 'misconfigured', uncertain: false, again: false },
  other_layout: { code: 'misconfigured', uncertain: false, again: false },
  /** A stand-in for DynamoDB that has not all of it. */
  unsupported: { code: 'misconfigured', uncertain: false, again: false },
}

/** The name of the error for a request that found no free connection before its deadline. */
export const NO_CONNECTION = 'NoConnection'

const BY_NAME: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [NO_CONNECTION, 'busy'],
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['TransactionConflictException', 'throttled'],
  ['TransactionInProgressException', 'running'],
  ['InternalServerError', 'interrupted'],
  ['InternalServerErrorException', 'interrupted'],
  ['ResourceNotFoundException', 'no_table'],
  ['TableNotFoundException', 'no_table'],
  ['UnknownOperationException', 'unsupported'],
  ['ValidationException', 'other_layout'],
])

export function failureOf(cause: unknown): Failure {
  const thrown = cause as Thrown
  const kind = kindOfName(thrown, BY_NAME) ?? kindOfConnection(thrown) ?? kindOfAnswer(thrown)
  return { kind, ...KINDS[kind], detail: detailOf(thrown), cause }
}

/** It has no name that is known. */
function kindOfAnswer({ $metadata, code, name }: Thrown): AwsKind {
  if (typeof code === 'string') return 'interrupted'
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
  const said = outcome === undefined ? wayOut(kind, place) : UNKNOWN
  const told = outcome === undefined ? code : 'unknown_outcome'
  return new StoreError(NAME, told, `${operation}: ${said} (${detail})`, { cause })
}

const UNKNOWN = 'no answer says whether it was written; read it again'

/** Table, region and endpoint, as the configuration names them. */
export function named({ endpoint, region, table }: Place): string {
  return `table "${table}" in region ${region}${atEndpoint(endpoint)}`
}

function wayOut(kind: Kind, place: Place): string {
  return kind in WAYS_OUT
    ? WAYS_OUT[kind as keyof typeof WAYS_OUT]({ ...place, named: named(place), setting: 'store' })
    : OWN_WAYS_OUT[kind as keyof typeof OWN_WAYS_OUT](place)
}

const OWN_WAYS_OUT: Readonly<
  Record<Exclude<Kind, keyof typeof WAYS_OUT>, (place: Place) => string>
> = {
  busy: (place) => `too many requests for ${named(place)} wait; nothing was written; try again`,
  throttled: (place) => `${named(place)} takes no more for now; nothing was written; try again`,
  running: (place) => `${named(place)} is still at it; try again`,
  forbidden: (place) =>
    `the AWS credentials may not do this on ${named(place)}; give them the store's IAM policy`,
  no_table: (place) =>
    `there is no ${named(place)}; correct store.table, store.region or store.endpoint, or run "assay store init"`,
  other_layout: (place) =>
    `${named(place)} has other keys than Assay's; name another table in store.table and run "assay store init"`,
  unsupported: (place) =>
    `what serves ${named(place)} has no such operation; do without it, or correct store.endpoint`,
  foreign: (place) => `what answers for ${named(place)} is not DynamoDB; correct store.endpoint`,
}
