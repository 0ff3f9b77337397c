/** The machine's clock. */
import type { Clock } from '../../core/ports/clock.ts'

export const systemClock: Clock = {
  name: 'clock/system',
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
