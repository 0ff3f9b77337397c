/** OPA's decision log service: POST /logs with a gzipped JSON array of events. */
import type { LogEvent } from './event.ts'
import type { Format } from './send.ts'

export function opaLogs(url: string): Format {
  return {
    url: `${url.replace(/\/+$/, '')}/logs`,
    body: (events: readonly LogEvent[]) => JSON.stringify(events),
    rejected: () => 0,
  }
}
