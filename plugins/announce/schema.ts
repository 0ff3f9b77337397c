/**
 * What `announce` reports: the same fields for each of its actions. A field that an action has no use for is there and empty. Every object's
 * members are sorted by name; times are Unix seconds.
 */
import type { Json } from '../../core/json.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Caller, callerSchema } from '../../formats/call/index.ts'
import {
  MAX_ENTRIES,
  MESSAGE_TYPES,
  type MessageType,
  members,
  type Revocation,
  type RevocationKind,
} from '../../formats/wire/index.ts'
import { CHECKS, type KeyState, type MessageCheck, STATES } from './checks.ts'

/** What a message says; of its members those that its type has. */
export interface Said {
  readonly after?: number
  readonly cell?: string
  readonly cells?: readonly string[]
  readonly endpoint?: string
  readonly entries?: readonly Revocation[]
  readonly expires?: number
  readonly from?: string
  readonly key?: string
  readonly more?: boolean
  readonly not_before?: number
  readonly seq?: number
  readonly service?: string
  readonly through?: number
  readonly time?: number
  readonly type?: MessageType
  readonly types?: readonly MessageType[]
  readonly until?: number
}
interface Delegation {
  /** What has become of the controller's key that signed it. */
  readonly by: KeyState
  readonly cells: readonly string[]
  readonly every_cell: boolean
  readonly expires: number
  readonly found: boolean
  readonly not_before: number
  readonly revoked: boolean
  readonly types: readonly MessageType[]
}
/** What there is of a revocation. */
interface Found {
  readonly below: number
  readonly every_generation: boolean
  readonly found: boolean
  readonly mortal: boolean
  readonly until: number
}
/** A line of the journal that the sweep looks at, with the end that the revocation has by now. */
export interface JournalLine {
  readonly id: string
  readonly kind: RevocationKind
  readonly reach: string
  /** False where it has none. */
  readonly mortal: boolean
  readonly until: number
}

export interface AnnounceFacts {
  /** Who signed the request for a revocation. */
  readonly caller: Caller
  /** The cell that the request or the message is about, as it is enrolled; and the key with which this kernel signs for it. */
  readonly cell: {
    readonly known: boolean
    readonly local: boolean
    readonly name: string
    readonly signer: { readonly custody: string; readonly held: boolean; readonly key: string }
  }
  readonly claimed: { readonly why: string }
  /** What is known of the revocations of the message's cell. */
  readonly feed: {
    readonly as_of: number
    readonly known: boolean
    readonly seen: number
    readonly sequence: number
  }
  /** The journal's chunks that a sweep looks at. */
  readonly journal: {
    readonly chunks: readonly {
      readonly chunk: number
      /** Nothing is added to it any more. */
      readonly full: boolean
      readonly lines: readonly JournalLine[]
    }[]
  }
  readonly message: Said & { readonly check: MessageCheck }
  readonly payload: {
    readonly check: 'malformed' | 'valid'
    /** Where a malformed payload went wrong. */
    readonly problem?: string
  }
  /** What is to be published. */
  readonly publish: {
    readonly as: 'cell' | 'controller' | 'none'
    readonly body: Json
    readonly send: boolean
  }
  /** What is to be revoked, and whether it is. */
  readonly revocation: {
    readonly below: number
    readonly every_generation: boolean
    readonly id: string
    readonly kind: RevocationKind | 'none'
    /** Of every cell's tokens. */
    readonly everywhere: Found
    /** Of the cell's tokens. */
    readonly record: Found
    /** The end that is asked for; 0 where none is. */
    readonly until: number
  }
  /** What a cell of this kernel revoked, from the journal. */
  readonly set: {
    readonly after: number
    readonly entries: readonly Revocation[]
    readonly more: boolean
    readonly through: number
  }
  /** Whose key signed the message; of a revocation here, the delegation of the key that signs it. */
  readonly signer: {
    readonly cell: { readonly name: string; readonly state: KeyState }
    readonly controller: KeyState
    readonly delegation: Delegation
    /** No controller is pinned: this key could be the first. */
    readonly first_use: boolean
    readonly key: string
    /** It is among the revoked keys, of its cell or everywhere. */
    readonly key_revoked: boolean
    readonly last: { readonly sequence: number; readonly time: number }
    /** What the key is enrolled for; empty where it is not. */
    readonly scope: string
  }
  /** The key that a message delegates to, or takes that from. */
  readonly subject: {
    readonly check: 'absent' | 'valid' | 'weak_key'
    readonly delegation: Delegation
    readonly scope: string
  }
}

const { array, boolean, integer, json, literal, object, string } = schema
const { cells, count, endpoint, id, kind, name, revocations, types } = members
const text = string({ maxLength: 128 })
const keyText = string({ maxLength: 43 })
const state: Schema<KeyState> = literal(...STATES)

const delegation: Schema<Delegation> = object({
  by: state,
  cells,
  every_cell: boolean(),
  expires: count,
  found: boolean(),
  not_before: count,
  revoked: boolean(),
  types,
})
const said = {
  after: count,
  cell: name,
  cells,
  endpoint,
  entries: revocations,
  expires: count,
  from: name,
  key: keyText,
  more: boolean(),
  not_before: count,
  seq: count,
  service: name,
  through: count,
  time: count,
  type: literal(...MESSAGE_TYPES),
  types,
  until: count,
}
/** A cell's name, or `*`. */
export const reach: Schema<string> = string({
  maxLength: 128,
  pattern: /^(?:\*|[A-Za-z0-9][A-Za-z0-9._:@-]*)$/,
})
const line: Schema<JournalLine> = object({ id, kind, mortal: boolean(), reach, until: count })
const found: Schema<Found> = object({
  below: count,
  every_generation: boolean(),
  found: boolean(),
  mortal: boolean(),
  until: count,
})

/** Actions that bring a message. */
export const BRINGS: readonly string[] = ['announce.learn', 'announce.receive']
export const actions: readonly string[] = [
  'announce.learn',
  'announce.publish',
  'announce.receive',
  'announce.revocations',
  'announce.revoke',
  'announce.sweep',
]

export const announceSchema: FactsSchema<AnnounceFacts> = {
  caller: { trust: 'verified', evidence: { requiredFor: [] }, schema: callerSchema },
  cell: {
    trust: 'verified',
    schema: object({
      known: boolean(),
      local: boolean(),
      name: text,
      signer: object({ custody: text, held: boolean(), key: keyText }),
    }),
  },
  claimed: { trust: 'claimed', schema: object({ why: string({ maxLength: 256 }) }) },
  feed: {
    trust: 'verified',
    schema: object({ as_of: count, known: boolean(), seen: count, sequence: count }),
  },
  journal: {
    trust: 'verified',
    schema: object({
      chunks: array(
        object({ chunk: count, full: boolean(), lines: array(line, { maxItems: 64 }) }),
        { maxItems: 2 },
      ),
    }),
  },
  message: {
    trust: 'verified',
    evidence: { requiredFor: BRINGS },
    schema: object({ check: literal(...CHECKS) }, said) as Schema<AnnounceFacts['message']>,
  },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      { check: literal('malformed', 'valid') },
      { problem: string({ maxLength: 1024 }) },
    ),
  },
  publish: {
    trust: 'verified',
    schema: object({ as: literal('cell', 'controller', 'none'), body: json(), send: boolean() }),
  },
  revocation: {
    trust: 'verified',
    schema: object({
      below: count,
      every_generation: boolean(),
      id: text,
      kind: literal('key', 'lease', 'none', 'tenant', 'token'),
      everywhere: found,
      record: found,
      until: count,
    }),
  },
  set: {
    trust: 'verified',
    schema: object({
      after: count,
      entries: array(
        object({ at: count, id, kind }, { below: count, until: count }) as Schema<Revocation>,
        { maxItems: MAX_ENTRIES },
      ),
      more: boolean(),
      through: count,
    }),
  },
  signer: {
    trust: 'verified',
    schema: object({
      cell: object({ name: text, state }),
      controller: state,
      delegation,
      first_use: boolean(),
      key: keyText,
      key_revoked: boolean(),
      last: object({ sequence: count, time: integer({ min: 0 }) }),
      scope: string({ maxLength: 32 }),
    }),
  },
  subject: {
    trust: 'verified',
    schema: object({
      check: literal('absent', 'valid', 'weak_key'),
      delegation,
      scope: string({ maxLength: 32 }),
    }),
  },
}
