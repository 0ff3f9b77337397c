/** What one traced evaluation did: a tree of calls, and in each call how far its definitions got. */
import { isArray, isObject, isSet, sizeOf, type Value } from '../../value/value.ts'
import type { Seen } from '../trace.ts'
import type { Definition } from './definitions.ts'
import type { Origin, Segment } from './origins.ts'
import type { Site } from './structure.ts'

/** What a call's statements saw last. */
export interface Memory {
  readonly seen: ReadonlyMap<number, readonly Seen[]>
  readonly elements: ReadonlyMap<number, readonly [key: Value, value: Value]>
  readonly calls: ReadonlyMap<number, Frame>
}

/** The end of one attempt. */
export interface Failure {
  readonly site: Site
  readonly memory: Memory
  /** Nothing was there to go through. */
  readonly isEmpty: boolean
  /** What failed within the condition: in an `every`, a comprehension, a negation. */
  readonly inner: Failure | undefined
  /** How many attempts it stands for. */
  readonly attempts: number
}

/** How one definition fared in one call. */
export interface Attempts {
  readonly definition: Definition
  /** Those that failed. */
  failed: number
  /** A branch before it held. */
  skipped: boolean
  furthest: Failure | undefined
  /** Each time that the head was reached, up to a few; `times` counts all. */
  readonly reached: Reached[]
  times: number
}
export interface Reached {
  readonly memory: Memory
  readonly values: readonly Seen[]
}

/** One call of a rule or a function. */
export interface Frame {
  readonly func: number
  readonly args: readonly Seen[]
  /** Where its arguments come from, in the same order. */
  readonly origins: readonly Origin[]
  readonly attempts: Map<Definition, Attempts>
  value: Seen
  /** What flowed into its value, as paths; see {@link Origin}. */
  readonly inflow: Set<string>
  /** Of a rule that only gives another name to a part of input or data. */
  alias: readonly Segment[] | undefined
}

export function copyOf({ seen, elements, calls }: Memory): Memory {
  return { seen: new Map(seen), elements: new Map(elements), calls: new Map(calls) }
}

/** Whether a rule's value makes a condition on it hold: there, neither false nor empty. */
export function isSomething(value: Seen): boolean {
  if (value === undefined || value === false) return false
  if (isSet(value)) return value.size > 0
  if (isArray(value)) return value.length > 0
  return !isObject(value) || sizeOf(value) > 0
}
