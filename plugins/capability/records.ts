/** What the plugin keeps, and what it reads of the records of others, as far as it matters here. Times are Unix seconds. */
import type { UnixSeconds } from '../../core/ports/clock.ts'

/** Whatever is kept is forgotten after `until`. */
export interface Kept {
  readonly until: UnixSeconds
}
/** What a counter says is its caveat's rule's business. */
export interface SpentRecord extends Kept {
  readonly amount: number
  readonly since: UnixSeconds
}

/** Of `enrolment`. */
export interface CellRecord {
  readonly keys: readonly {
    readonly public_key: string
    readonly state: 'active' | 'grace' | 'retired' | 'revoked'
    /** Name of the key in this kernel's custody. */
    readonly custody?: string
  }[]
  readonly local: boolean
}

/** Of `lease`. */
export interface LeaseRecord {
  readonly cell: string
  readonly expires_at: UnixSeconds
  readonly generation: number
  readonly resource: string
  readonly state: 'active' | 'expired' | 'freed' | 'revoked'
  readonly tenant: string
}
export interface ResourceRecord {
  readonly lease?: string
  readonly state: 'fenced' | 'free' | 'leased' | 'tearing_down'
}

/** Of `announce`. */
export interface RevokedRecord {
  readonly kind: 'key' | 'lease' | 'tenant' | 'token'
  /** Of a lease: tokens of generations below it are dead. Absent: all. */
  readonly below?: number
  /** Null: for ever. */
  readonly until: UnixSeconds | null
}
export interface FeedRecord {
  readonly as_of: UnixSeconds
}
