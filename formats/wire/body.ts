/**
 * What wire messages say: canonical JSON (RFC 8785) of a closed shape for each type. `from` is who sends, `seq` rises with every message of
 * one key, `time` is Unix seconds.
 */
import { type Schema, schema } from '../../core/schema.ts'

/** Of a key: a delegation names some of them. */
export const MESSAGE_TYPES = [
  'ANNOUNCE',
  'DELEGATE',
  'REVOCATIONS',
  'REVOKE_BROADCAST',
  'UNDELEGATE',
  'WITHDRAW',
] as const
export type MessageType = (typeof MESSAGE_TYPES)[number]

/** `token`: a block's handle (hex). `lease`: its id. `key`: a public key (base64url). `tenant`: its name. */
export const REVOCATION_KINDS = ['key', 'lease', 'tenant', 'token'] as const
export type RevocationKind = (typeof REVOCATION_KINDS)[number]

/** Revocations in one message. */
export const MAX_ENTRIES = 64

export interface Revocation {
  /** Unix seconds. */
  readonly at: number
  /** Of a lease: tokens of generations below it are dead. Absent: all of them. */
  readonly below?: number
  /** 1 to 128 visible ASCII characters. */
  readonly id: string
  readonly kind: RevocationKind
  /** When the last token that it could concern is over, Unix seconds. Absent: never. */
  readonly until?: number
}

interface Head<Type extends MessageType> {
  readonly type: Type
  readonly from: string
  readonly seq: number
  readonly time: number
}
/** A cell offers a service. */
export interface Announce extends Head<'ANNOUNCE'> {
  readonly cell: string
  readonly endpoint: string
  readonly service: string
  readonly until: number
}
export interface Withdraw extends Head<'WITHDRAW'> {
  readonly cell: string
  readonly service: string
}
/** What `cell` revokes, right after its message number `after`. Whoever has not heard that one has missed something. */
export interface RevokeBroadcast extends Head<'REVOKE_BROADCAST'> {
  readonly after: number
  readonly cell: string
  readonly entries: readonly Revocation[]
}
/** A page of what `cell` revoked and is still alive: all of it between `after` and `through`. `more`: it goes on after `through`. */
export interface Revocations extends Head<'REVOCATIONS'> {
  readonly after: number
  readonly cell: string
  readonly entries: readonly Revocation[]
  readonly more: boolean
  readonly through: number
}
/** From `not_before` until `expires`, `key` may sign messages of these types; of these cells only, where some are named. */
export interface Delegate extends Head<'DELEGATE'> {
  readonly cells?: readonly string[]
  readonly expires: number
  readonly key: string
  readonly not_before: number
  readonly types: readonly MessageType[]
}
/** Takes a delegation back, for ever. */
export interface Undelegate extends Head<'UNDELEGATE'> {
  readonly key: string
}
export type Body = Announce | Delegate | Revocations | RevokeBroadcast | Undelegate | Withdraw

const { array, boolean, integer, literal, object, string } = schema
const count = integer({ min: 0 })
const name = string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]*$/ })
const key = string({ maxLength: 43, pattern: /^[\w-]{43}$/ })
const id = string({ maxLength: 128, pattern: /^[!-~]+$/ })

/** What the members are, for those who build messages of them. */
export const members: {
  readonly cells: Schema<readonly string[]>
  readonly count: Schema<number>
  readonly endpoint: Schema<string>
  readonly id: Schema<string>
  readonly key: Schema<string>
  readonly kind: Schema<RevocationKind>
  readonly name: Schema<string>
  readonly revocations: Schema<readonly Revocation[]>
  readonly types: Schema<readonly MessageType[]>
} = {
  cells: array(name, { maxItems: 64 }),
  count,
  endpoint: string({ maxLength: 256, pattern: /^[!-~]+$/ }),
  id,
  key,
  kind: literal(...REVOCATION_KINDS),
  name,
  revocations: array(
    object({ at: count, id, kind: literal(...REVOCATION_KINDS) }, { below: count, until: count }),
    { maxItems: MAX_ENTRIES },
  ),
  types: array(literal(...MESSAGE_TYPES), { maxItems: MESSAGE_TYPES.length }),
}
const { cells, endpoint, revocations: entries, types } = members

function head<Type extends MessageType>(
  type: Type,
): { from: Schema<string>; seq: Schema<number>; time: Schema<number>; type: Schema<Type> } {
  return { from: name, seq: integer({ min: 1 }), time: count, type: literal(type) }
}

interface Shape {
  readonly names: ReadonlySet<string>
  readonly schema: Schema<unknown>
}
function shape(
  required: Readonly<Record<string, Schema<unknown>>>,
  optional: Readonly<Record<string, Schema<unknown>>> = {},
): Shape {
  const names = new Set([...Object.keys(required), ...Object.keys(optional)])
  return { names, schema: object(required, optional) }
}

/** By type. A map: a type named `__proto__` is none. */
export const SHAPES: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  ['ANNOUNCE', shape({ ...head('ANNOUNCE'), cell: name, endpoint, service: name, until: count })],
  [
    'DELEGATE',
    shape({ ...head('DELEGATE'), expires: count, key, not_before: count, types }, { cells }),
  ],
  [
    'REVOCATIONS',
    shape({
      ...head('REVOCATIONS'),
      after: count,
      cell: name,
      entries,
      more: boolean(),
      through: count,
    }),
  ],
  ['REVOKE_BROADCAST', shape({ ...head('REVOKE_BROADCAST'), after: count, cell: name, entries })],
  ['UNDELEGATE', shape({ ...head('UNDELEGATE'), key })],
  ['WITHDRAW', shape({ ...head('WITHDRAW'), cell: name, service: name })],
])
