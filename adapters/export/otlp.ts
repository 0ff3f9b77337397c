/**
 * OTLP/HTTP logs in JSON: one record a decision, of the event `authz.decision`. What was opened is in the body, everything else in
 * attributes.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp; opentelemetry-proto `logs/v1/logs.proto`
 */
import type { Json } from '../../core/json.ts'
import type { LogEvent } from './event.ts'
import type { Format } from './send.ts'

const INFO = 9

type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly doubleValue: number }
  | { readonly intValue: string }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } }
  | Record<string, never>
interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

export function otlp(url: string): Format {
  return { url, body: (events) => JSON.stringify(logsData(events)), rejected }
}

function logsData(events: readonly LogEvent[]): object {
  const labels = events[0]?.labels ?? {}
  const attributes = keyValues({ 'service.name': 'assay', ...labels })
  const scopeLogs = [{ scope: { name: 'assay' }, logRecords: events.map(logRecord) }]
  return { resourceLogs: [{ resource: { attributes }, scopeLogs }] }
}

function logRecord(event: LogEvent): object {
  const { bundles, custom, decision_id, erased, input, masked, requested_by, result } = event
  const timeUnixNano = `${Date.parse(event.timestamp)}000000`
  const opened = {
    ...(input === undefined ? {} : { input }),
    ...(result === undefined ? {} : { result }),
  }
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: INFO,
    severityText: 'INFO',
    eventName: 'authz.decision',
    body: anyValue(opened),
    attributes: keyValues({
      'authz.action': custom.action,
      'authz.decision': custom.allow ? 'allow' : 'deny',
      'authz.decision_id': decision_id,
      'authz.log.index': custom.log_index,
      'authz.policy.digest': custom.policy,
      'authz.policy.revision': bundles.assay.revision,
      'authz.reason_codes': custom.reasons.map(({ code }) => code),
      'authz.rule_ids': custom.reasons.map(({ rule }) => rule),
      ...(requested_by === undefined ? {} : { 'authz.requested_by': requested_by }),
      ...(erased === undefined ? {} : { 'authz.erased': erased }),
      ...(masked === undefined ? {} : { 'authz.masked': masked }),
    }),
  }
}

function keyValues(members: { readonly [name: string]: Json }): KeyValue[] {
  return Object.entries(members).map(([key, value]) => ({ key, value: anyValue(value) }))
}

function anyValue(value: Json): AnyValue {
  if (value === null) return {}
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } }
  return { kvlistValue: { values: keyValues(value as { [name: string]: Json }) } }
}

/** What the receiver refused of a batch that it took, which must not be sent again. */
function rejected(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as {
      partialSuccess?: { rejectedLogRecords?: number | string }
    }
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0)
    return Number.isSafeInteger(count) && count > 0 ? count : 0
  } catch {
    return 0
  }
}
