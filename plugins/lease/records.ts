/** What the plugin keeps, and what it reads of the records of others. Members stand in the order in which they are written. */
import type { Json } from '../../core/json.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'

export type ResourceStatus = 'fenced' | 'free' | 'leased' | 'tearing_down'
export type LeaseStatus = 'active' | 'expired' | 'freed' | 'revoked'

export interface ResourceRecord {
  readonly cell: string
  /** Rises with every transition: what was asked for or observed in an earlier state can be told from what counts now. */
  readonly epoch: number
  readonly fence?: { readonly at: UnixSeconds; readonly why: string }
  /** The lease that holds it, that is torn down, or whose teardown failed. */
  readonly lease?: string
  readonly resource: string
  readonly since: UnixSeconds
  readonly state: ResourceStatus
}

/** A caveat, closed: what a token must not have, a lease has not either. */
export type Condition = { readonly t: string; readonly v: Json }

export interface LeaseRecord {
  readonly caveats: readonly Condition[]
  readonly cell: string
  /** Public key of the holder, where tokens of this lease take a proof of possession. */
  readonly cnf?: string
  readonly expires_at: UnixSeconds
  /** 1, 2, 3 ...: tokens of an earlier one are dead. */
  readonly generation: number
  readonly granted_at: UnixSeconds
  readonly lease: string
  readonly resource: string
  readonly state: LeaseStatus
  /** Since it ended: the epoch in which its teardown was asked for, and how that went. */
  readonly teardown?: { readonly epoch: number; readonly outcome?: 'done' | 'failed' }
  readonly tenant: string
}

/** Of `enrolment`, as far as it matters here. */
export interface CellRecord {
  readonly keys: readonly {
    readonly public_key: string
    readonly state: string
    /** Name of the key in this kernel's custody. */
    readonly custody?: string
  }[]
  readonly local: boolean
}
export interface TenantRecord {
  readonly state: string
}

/** Of `announce`, as far as it matters here. */
export interface RevokedRecord {
  /** Null: for ever. */
  readonly until: UnixSeconds | null
  /** Of a lease: the generations that are dead are those below it. Absent: all. */
  readonly below?: number
}
