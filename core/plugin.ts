/**
 * The plugin contract. A plugin turns bytes into facts and reports; Rego proposes; the kernel disposes. A failed check is a fact, not an
 * exception: only broken machinery throws, and what throws becomes a denial.
 */
import type { Json } from './json.ts'
import type { UnixSeconds } from './ports/clock.ts'
import type { KeyScope } from './ports/custody.ts'
import type { Payload, Peer, Request } from './request.ts'
import type { Schema } from './schema.ts'

/**
 * How far a fact can be trusted. `verified`: the kernel's own state, or checked against pinned keys. `attested`: verified evidence from
 * an attester about itself. `claimed`: somebody said so; lives under the one field named `claimed`.
 */
export type Trust = 'attested' | 'claimed' | 'verified'

/**
 * One top-level member of the facts; each is committed to on its own in the leaf.
 *
 * A field with `evidence` holds an object with the member `check`: `valid`, `absent`, or the name of what failed. It counts as unverified,
 * and no policy can allow, when the check is neither `valid` nor `absent`, or when it is `absent` and the action is in `requiredFor`.
 */
export interface FactField<T = unknown> {
  readonly trust: Trust
  readonly schema: Schema<T>
  readonly evidence?: { readonly requiredFor: readonly string[] }
}
export type FactsSchema<Facts> = { readonly [Name in keyof Facts]: FactField<Facts[Name]> }

/** The plugin's own partition of the store, and records of those that it names. There is no raw list. */
export interface ReadPorts {
  /** Guarded: the commit fails and the decision is made again when this record changed in between. The value is frozen. */
  get(sort: string): Promise<Json | undefined>
  /**
   * Guarded like {@link get}: a record of another plugin, which alone writes it.
   * @throws when {@link Plugin.reads} does not name the plugin
   */
  getFrom(plugin: string, sort: string): Promise<Json | undefined>
  /**
   * Guarded against phantoms too, through the generation of one of the plugin's {@link Plugin.lists}. At most 1,000 records.
   * @throws when `prefix` is not declared
   */
  listGuarded(prefix: string): Promise<readonly Listed[]>
  /** Not checked at commit: for what may be a little stale. At most `maxAgeMs` old; the revision goes into the facts. */
  snapshot(sort: string, maxAgeMs: number): Promise<Snapshot>
  /** One of the plugin's own decisions; undefined for any other, and once it was erased. It does not change: there is nothing to guard. */
  decided(id: string): Promise<PastDecision | undefined>
  /** Of the log itself: for the plugin that the composition root names as auditor, and for no other. */
  readonly audit?: AuditReads | undefined
}
/** What an auditor's facts are made of. A leaf never changes, so reading one needs no guard. */
export interface AuditReads {
  /** Leaves in the log. */
  size(): Promise<bigint>
  /** `count` leaves from index `from`, fewer at the end; 1 to 256. */
  leaves(from: bigint, count: number): Promise<readonly Uint8Array[]>
  /** Guarded, like {@link ReadPorts.get}. Undefined when no decision has this id. `at`: where its leaf was read, to save looking for it. */
  decision(
    id: string,
    at?: { readonly index: bigint; readonly leaf: string },
  ): Promise<AuditedDecision | undefined>
}
export interface AuditedDecision {
  readonly index: bigint
  readonly leaf: string
  /** False once it was erased. */
  readonly opened: boolean
  /** Who asked for it; unknown once it was erased, and where the kernel itself decided. */
  readonly peer?: Peer
}
/** As its openings have it. */
export interface PastDecision {
  readonly action: string
  readonly peer: Peer
  /** The text as it came. */
  readonly payload: string
  /** What the policy answered, where it was asked. The kernel may have denied what this allows, and never allows what it denies. */
  readonly verdict?: Json
}
export interface Listed {
  readonly sort: string
  readonly value: Json
}
export interface Snapshot {
  readonly value: Json | undefined
  readonly revision: string
}

/** What a verdict asks for: `kind` from the plugin's {@link EffectTable} and the members that its schema lists. */
export interface Effect {
  readonly kind: string
  readonly [member: string]: Json
}

/**
 * What an effect comes to. Writes are conditional on the versions that `facts` read: only keys that it read guarded can be written. A key that
 * ends with `/` and the decision's id is new instead: what is named after a decision cannot have been read before it.
 */
export interface EffectPlan {
  readonly writes?: readonly (
    | {
        readonly put: string
        readonly value: Json
        /** As {@link OutboxEntry.signatures}: kept as the member `signatures` of the value. */
        readonly signatures?: readonly string[]
      }
    | { readonly remove: string }
  )[]
  /** Computed before the commit, never released before it: `output[name]` is the signature in base64url. */
  readonly signatures?: readonly {
    readonly name: string
    readonly scope: KeyScope
    readonly key: string
    /** The one version that may sign, where a policy has decided which; custody must have it active. Default: the newest that is active. */
    readonly version?: number
    readonly purpose: string
    readonly message: Uint8Array
  }[]
  /** External actions, performed at least once after the commit; their outcome is a new decision. */
  readonly outbox?: readonly OutboxEntry[]
  /** Decisions whose openings go. An auditor's, and only those that its facts read. */
  readonly erase?: readonly string[]
  /** Merged into the decision's output. */
  readonly output?: { readonly [name: string]: Json }
}
export interface OutboxEntry {
  readonly kind: string
  readonly body: Json
  /**
   * Names among the verdict's {@link EffectPlan.signatures}. They are delivered as the member `signatures` of the body, name to
   * base64url; the body is an object then.
   */
  readonly signatures?: readonly string[]
}
export interface EffectContext {
  readonly decisionId: string
  readonly now: UnixSeconds
  /** The record as `facts` read it. @throws when it did not read it guarded */
  read(sort: string): Json | undefined
}
export interface EffectKind {
  /** May run when the verdict denies: a lock-out, a burnt nonce, a fence. */
  readonly onDeny: boolean
  /** Of the whole effect, `kind` included. */
  readonly schema: Schema<object>
  /** Pure. What throws is a denial. */
  plan(effect: Effect, context: EffectContext): EffectPlan
}
export type EffectTable = Readonly<Record<string, EffectKind>>

/** What a search looks for: everything of one kind with which `action` would be allowed. */
export interface Query {
  /** The kernel action that decides each candidate, such as `access.evaluate`. */
  readonly action: string
  readonly kind: SearchKind
  /** As {@link action} takes it, but for what is looked for: of a subject or resource there is the type alone, of an action nothing. */
  readonly payload: Payload
  /** What the policy's entry point `assay/<plugin>/actions` names: the actions that a rule may permit. Sorted; for this kind only. */
  readonly actions: readonly string[]
  /** A name that nothing has: 32 random hex digits. */
  readonly unused: string
}
export type SearchKind = 'action' | 'resource' | 'subject'

/** One thing that may be found, and the payload with which {@link Query.action} is asked about it. */
export interface Candidate {
  /** As it stands in the results. */
  readonly entity: { readonly [member: string]: Json }
  readonly payload: Payload
  /** Where a later page goes on: after this one. 1 to 512 characters. */
  readonly cursor: string
}
export interface Candidates {
  /** In UTF-8 byte order of their cursors, each of them after the cursor that was asked for. */
  readonly items: readonly Candidate[]
  /** The cursor of the last item, where there may be further ones after it. */
  readonly next?: string
  /** Asked about something named {@link Query.unused}. Where that is allowed, what may be found has no end, and no search is answered. */
  readonly unused: Payload
}
/** The query cannot be read: a JSON Pointer and what was expected there, with no text of the caller's. */
export interface MalformedQuery {
  readonly malformed: string
}
export interface CandidateReads extends Pick<ReadPorts, 'get'> {
  /** Up to `limit` records in UTF-8 byte order of their keys, after the key `after`. */
  page(prefix: string, after: string | undefined, limit: number): Promise<readonly Listed[]>
}

export interface Plugin<Facts extends object = object> {
  /** The folder's name, the Rego package `assay.<name>`, the store's partition: `[a-z][a-z0-9-]{0,31}`. */
  readonly name: string
  /** `<name>.<verb>`; exactly one plugin answers an action. */
  readonly actions: readonly string[]
  readonly schema: FactsSchema<Facts>
  /** Prefixes that {@link ReadPorts.listGuarded} may list; every write below one bumps its generation. */
  readonly lists?: readonly string[]
  /** Other plugins whose records {@link ReadPorts.getFrom} may read. One that is not configured has none. */
  readonly reads?: readonly string[]
  readonly effects?: EffectTable
  /**
   * Verifies over the raw bytes with pinned keys, only then parses. Fixed key order. Must stop when `signal` aborts; a hang or a throw
   * is a denial.
   */
  facts(request: Request, read: ReadPorts, now: UnixSeconds, signal: AbortSignal): Promise<Facts>
  /**
   * Refuses what must not cost a decision, such as a flood of unsigned messages: a code of `[a-z][a-z0-9_]*` is counted, leaves no leaf of
   * its own, and the caller gets NoDecision `refused`. Cheap; what it reads is not guarded, so `facts` looks at everything again.
   */
  screen?(request: Request, read: ReadPorts): string | undefined | Promise<string | undefined>
  /**
   * A page of what a search may find, from an index: everything that a policy could permit and that is known at all. At most `limit` items.
   * Deterministic.
   */
  candidates?(
    query: Query,
    after: string | undefined,
    limit: number,
    read: CandidateReads,
  ): Promise<Candidates | MalformedQuery>
}
