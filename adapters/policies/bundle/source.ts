/** Where bundles come from. A source knows how to ask; it trusts nothing that it gets. */
import { KernelError } from '../../../core/error.ts'

export type Fetched =
  /** What was given before is still the newest. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'bundle'
      readonly bytes: Uint8Array
      /** For {@link BundleSource.ask}; without it the source is asked in full each time. */
      readonly tag?: string
    }

export interface Ask {
  /** Of the bundle that is known: served or refused. */
  readonly tag: string | undefined
  /** Whether a delta on it may come; default: whole bundles only. */
  readonly deltas?: boolean
  /** Ends the wait; the source throws what the signal has. */
  readonly signal: AbortSignal
}

export interface BundleSource {
  /** For messages: no secret is in it. */
  readonly name: string
  /** May wait until there is something new, where the other side can. @throws SourceError; BundleRefusal `too_large`, `truncated` */
  ask(ask: Ask): Promise<Fetched>
  /** Whether the last answer said that it waits: the next question may follow at once. */
  readonly waits: boolean
  close(): Promise<void>
}

/**
 * No bundle came: what serves goes on, and it gets older.
 * - `unreachable`, `timeout`: ask again later. `http_STATUS`-like codes are one, `bad_status`: look at the source.
 * - `redirected`: name the place itself. `unauthorized`: the token or the credentials. `not_found`: nothing lies there.
 */
export type SourceErrorCode =
  | 'bad_status'
  | 'not_found'
  | 'redirected'
  | 'timeout'
  | 'unauthorized'
  | 'unreachable'
export class SourceError extends KernelError<SourceErrorCode> {
  constructor(code: SourceErrorCode, what: string, options?: ErrorOptions) {
    super('policies/source', code, what, options)
  }
}
