/** Seconds since 1970-01-01T00:00:00Z without leap seconds, an integer. */
export type UnixSeconds = number
/** Milliseconds since the same epoch. */
export type UnixMillis = number

/** The only source of time. Nothing else reads a clock. */
export interface Clock {
  readonly name: string
  /** Wall-clock time; may jump in either direction. */
  now(): UnixMillis
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonic(): number
}
