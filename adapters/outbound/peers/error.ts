import { KernelError } from '../../../core/error.ts'

/**
 * What a peer did not do; all of it may go better later, but for what a code says.
 * - `timeout`, `unreachable`: nobody knows whether it was heard.
 * - `refused`: it closed the connection without an answer, as the door for messages does with what it does not take.
 * - `unexpected_status`, `malformed_answer`: what it answered is not of this protocol.
 * - `not_taken`: this kernel could not decide it, or does not believe what the peer said of its revocations.
 * - `malformed_entry`: it is not one of this adapter's; a newer version may have written it.
 * - `closed`: this side is shutting down.
 */
export type PeerErrorCode =
  | 'closed'
  | 'malformed_answer'
  | 'malformed_entry'
  | 'not_taken'
  | 'refused'
  | 'timeout'
  | 'unexpected_status'
  | 'unreachable'
export class PeerError extends KernelError<PeerErrorCode> {}
