/** What the process and an isolated worker say to each other. Plain data only: what cannot be cloned cannot cross. */
import type { Candidate, Candidates, MalformedQuery, Query } from '../../core/plugin.ts'
import type { DataOperation } from '../../core/ports/engine.ts'

export interface CallMessage {
  readonly call: number
  readonly method: string
  readonly body: unknown
}
export type ToWorker =
  | CallMessage
  /** The caller gave up on this call. */
  | { readonly abort: number }
  /** The answer to a worker's own question. */
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly failed: string }

export type FromWorker =
  | { readonly done: number; readonly value: unknown }
  | { readonly done: number; readonly failed: Failure }
  /** The worker asks the process, on behalf of a call. */
  | { readonly ask: number; readonly of: number; readonly method: string; readonly body: unknown }

/** A stable code where the thrown error has one. Never the payload that caused it. */
export interface Failure {
  readonly code: string | undefined
  readonly message: string
}

/** Which module's export the worker runs. */
export interface IsolatedModule {
  readonly role: 'engine' | 'plugin'
  readonly module: string
  readonly exportName: string
  /** What an engine is made with; plain data. */
  readonly options?: object
}

/** What an isolated plugin's `facts` is called with; the payload travels as its bytes. */
export interface FactsCall {
  readonly action: string
  readonly payload: Uint8Array
  readonly peer: { readonly kind: string; readonly id: string }
  readonly obligations: readonly string[]
  readonly now: number
}
/** What an isolated plugin's `candidates` is called with, and what it answers with; payloads travel as their bytes. */
export interface CandidatesCall {
  readonly query: Omit<Query, 'payload'>
  readonly payload: Uint8Array
  readonly after: string | undefined
  readonly limit: number
}
export type CandidatesAnswer =
  | MalformedQuery
  | (Omit<Candidates, 'items' | 'unused'> & {
      readonly items: readonly (Omit<Candidate, 'payload'> & { readonly payload: Uint8Array })[]
      readonly unused: Uint8Array
    })
/** A policy made from another one. */
export interface PatchCall {
  readonly policy: number
  readonly of: number
  readonly operations: readonly DataOperation[]
  readonly revision: string
}
export interface EvaluateCall {
  readonly policy: number
  readonly entrypoint: string
  readonly text: string
}
