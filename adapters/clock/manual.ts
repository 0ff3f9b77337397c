/** A clock that stands still until it is told otherwise: for tests and replays. */
import type { Clock, UnixMillis } from '../../core/ports/clock.ts'

export interface ManualClock extends Clock {
  /** Time passes: both clocks move. @throws RangeError when `ms` is negative */
  advance(ms: number): void
  /** Somebody sets the wall clock, in either direction; {@link Clock.monotonic} does not notice. */
  set(ms: UnixMillis): void
}

export function manualClock(startMillis: UnixMillis): ManualClock {
  let wall = startMillis
  let passed = 0
  return {
    name: 'clock/manual',
    now: () => wall,
    monotonic: () => passed,
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError('time passes forwards only; use set')
      wall += ms
      passed += ms
    },
    set(ms) {
      wall = ms
    },
  }
}
