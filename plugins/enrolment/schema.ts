/**
 * What `enrolment` reports: the same eight fields for each of its actions. A field that an action has no use for is there and empty. Every
 * object's members are sorted by name.
 */
import type { FactsSchema } from '../../core/plugin.ts'
import type { KeyScope, KeyState } from '../../core/ports/custody.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Caller, callerSchema, NAME, PUBLIC_KEY, SIGNATURE } from '../../formats/call/index.ts'

/** As custody has them; a plugin takes no values from a port. */
export const SCOPES: readonly KeyScope[] = [
  'release',
  'controller',
  'cell',
  'tenant',
  'task',
  'policy',
  'log',
  'witness',
  'federation',
  'bootstrap',
]
export const STATES: readonly KeyState[] = ['pre-active', 'active', 'grace', 'retired', 'revoked']

export type OwnedScope = 'cell' | 'controller' | 'tenant'
/** `none`: there is no such record. */
export type State = KeyState | 'none'
/** Keys that an owner's record lists; the oldest of those out of use go first. */
export const MAX_KEYS = 8

const { array, boolean, integer, literal, object, string } = schema
const scope: Schema<KeyScope> = literal(...SCOPES)
const text = string({ maxLength: 256 })
/** As custody names keys. */
const custody = string({ maxLength: 63, pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ })
const verification = object({ by: text, reference: text })

/** What binds a key to an owner who may have had another one. */
const binding = { custody, hand_over: SIGNATURE, proof: SIGNATURE, replaces: PUBLIC_KEY }

/** The body of each action. Closed: an unknown member makes it malformed. */
export const bodies: Readonly<Record<string, Schema<unknown>>> = {
  'enrolment.bind-cell': object({ cell: NAME, public_key: PUBLIC_KEY }, binding),
  'enrolment.pin-controller': object({ public_key: PUBLIC_KEY }, binding),
  'enrolment.prove': object({ cell: NAME }),
  'enrolment.register-key': object(
    { owner: NAME, public_key: PUBLIC_KEY, scope },
    { proof: SIGNATURE },
  ),
  'enrolment.register-tenant': object(
    { public_key: PUBLIC_KEY, tenant: NAME },
    { ...binding, verification },
  ),
  'enrolment.transition-key': object({ public_key: PUBLIC_KEY, state: literal(...STATES) }),
}
export const actions: readonly string[] = Object.keys(bodies)

export interface Body {
  readonly cell?: string
  readonly custody?: string
  readonly hand_over?: string
  readonly owner?: string
  readonly proof?: string
  readonly public_key?: string
  readonly replaces?: string
  readonly scope?: KeyScope
  readonly state?: State
  readonly tenant?: string
  readonly verification?: Verification
}
/** Who looked at a tenant before its key was registered, and where that is written down. */
export interface Verification {
  readonly by: string
  readonly reference: string
}

export interface KeyRecord {
  readonly owner: string
  readonly public_key: string
  readonly scope: KeyScope
  readonly state: State
}
/** A key as its owner's record lists it. */
export interface OwnedKey {
  /** The name of the private half in this kernel's custody. */
  readonly custody?: string
  readonly public_key: string
  /** Unix seconds: when it was enrolled. */
  readonly since: number
  readonly state: State
}
/** `cell/…`, `tenant/…` and `controller`. */
export interface OwnerRecord {
  readonly cell?: string
  /** The newest one last. */
  readonly keys: readonly OwnedKey[]
  /** Of a cell: the private half of its newest key is in this kernel's custody. */
  readonly local?: boolean
  /** Of a tenant: `revoked` once no key of theirs is in force. */
  readonly state?: 'active' | 'revoked'
  readonly tenant?: string
  readonly verification?: Verification
}

type Check = 'absent' | 'signature_invalid' | 'valid'

export interface EnrolmentFacts {
  /** Who signed the call. */
  readonly caller: Caller
  /** Said by the one who registers, checked by nobody. */
  readonly claimed: { readonly verification: Verification }
  /** The newest key of the owner signed that this one comes next. */
  readonly hand_over: {
    readonly check: Check
    /** That newest key is in the revocation set. */
    readonly key_revoked: boolean
  }
  /** The key that the request is about, and what it is known as. */
  readonly key: {
    readonly check: 'absent' | 'valid' | 'weak_key'
    /** The plugin `release` has pinned it. */
    readonly pinned_for_release: boolean
    readonly public_key: string
    /** As it is registered; empty and `none` where it is not. */
    readonly registered: {
      readonly owner: string
      readonly scope: KeyScope | 'none'
      readonly state: State
    }
  }
  /** Whose key it is, or is to be, and which ones they have: the newest one last. */
  readonly owner: {
    readonly keys: readonly OwnedKey[]
    readonly name: string
    readonly scope: KeyScope | 'none'
  }
  readonly payload: {
    readonly check: 'malformed' | 'valid'
    readonly custody: string
    readonly problem?: string
    /** The key that the request says is to be replaced; empty for none. */
    readonly replaces: string
    /** Of a transition. */
    readonly state: State
  }
  /** The new key signed whom it is for. */
  readonly proof: { readonly check: Check }
}

const check = literal('absent', 'signature_invalid', 'valid')
const key = string({ maxLength: 43 })
const name = string({ maxLength: 128 })
const anyScope = literal(...SCOPES, 'none')
const state: Schema<State> = literal(...STATES, 'none')
const since = integer({ min: 0 })
const owned: Schema<OwnedKey> = object({ public_key: PUBLIC_KEY, since, state }, { custody })

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly custody: Schema<string>
  readonly scope: Schema<KeyScope>
  readonly state: Schema<State>
  readonly verification: Schema<Verification>
} = { custody, scope, state, verification }

export const enrolmentSchema: FactsSchema<EnrolmentFacts> = {
  caller: { trust: 'verified', evidence: { requiredFor: [] }, schema: callerSchema },
  claimed: { trust: 'claimed', schema: object({ verification }) },
  hand_over: {
    trust: 'verified',
    evidence: { requiredFor: [] },
    schema: object({ check, key_revoked: boolean() }),
  },
  key: {
    trust: 'verified',
    evidence: { requiredFor: actions.filter((action) => action !== 'enrolment.prove') },
    schema: object({
      check: literal('absent', 'valid', 'weak_key'),
      pinned_for_release: boolean(),
      public_key: key,
      registered: object({ owner: name, scope: anyScope, state }),
    }),
  },
  owner: {
    trust: 'verified',
    schema: object({
      keys: array(owned, { maxItems: MAX_KEYS }),
      name,
      scope: anyScope,
    }),
  },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      {
        check: literal('malformed', 'valid'),
        custody: string({ maxLength: 63 }),
        replaces: key,
        state,
      },
      { problem: string({ maxLength: 2048 }) },
    ),
  },
  proof: { trust: 'verified', evidence: { requiredFor: [] }, schema: object({ check }) },
}
