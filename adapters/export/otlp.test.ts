import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer'
import { expect, test } from 'vitest'
import type { LogEvent } from './event.ts'
import { otlp } from './otlp.ts'

const REASONS = [
  { code: 'owner', rule: 'access.owner' },
  { code: 'on_call', rule: 'access.on_call' },
]
const EVENT: LogEvent = {
  labels: { id: 'assay.test/log', env: 'test' },
  decision_id: '0123456789abcdef0123456789abcdef',
  bundles: { assay: { revision: 'sha256:11' } },
  path: 'access/evaluate',
  input: { payload: { text: 'ä', whole: 7, part: 0.5, none: null, yes: true, list: [1, 'a', []] } },
  result: { allow: true },
  requested_by: 'bearer:ada',
  timestamp: '2026-09-21T14:13:20.000Z',
  erased: ['/input/payload/password'],
  masked: ['/result/token'],
  custom: {
    action: 'access.evaluate',
    allow: true,
    log_index: '7',
    policy: 'sha256:00',
    reasons: REASONS,
  },
}

type Serialized = Parameters<typeof JsonLogsSerializer.serializeRequest>[0]

/** What OpenTelemetry's own SDK sends for the same record. */
function reference(): unknown {
  const hrTime: [number, number] = [1_790_000_000, 0]
  const record = {
    hrTime,
    hrTimeObserved: hrTime,
    severityNumber: 9,
    severityText: 'INFO',
    eventName: 'authz.decision',
    body: { input: EVENT.input, result: EVENT.result },
    resource: { attributes: { 'service.name': 'assay', id: 'assay.test/log', env: 'test' } },
    instrumentationScope: { name: 'assay' },
    attributes: {
      'authz.action': 'access.evaluate',
      'authz.decision': 'allow',
      'authz.decision_id': EVENT.decision_id,
      'authz.log.index': '7',
      'authz.policy.digest': 'sha256:00',
      'authz.policy.revision': 'sha256:11',
      'authz.reason_codes': ['owner', 'on_call'],
      'authz.rule_ids': ['access.owner', 'access.on_call'],
      'authz.requested_by': 'bearer:ada',
      'authz.erased': ['/input/payload/password'],
      'authz.masked': ['/result/token'],
    },
    droppedAttributesCount: 0,
  }
  const bytes = JsonLogsSerializer.serializeRequest([record] as unknown as Serialized)
  return JSON.parse(new TextDecoder().decode(bytes))
}

/** Empty members that protobuf's JSON may leave out, and integers, which it takes as numbers and as strings. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
    .filter(([name, member]) => !(name === 'droppedAttributesCount' && member === 0))
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, name === 'intValue' ? String(member) : plain(member)])
  return Object.fromEntries(members)
}

test('a record is what the SDK of OpenTelemetry would send', () => {
  const { body } = otlp('http://localhost:4318/v1/logs')
  expect(plain(JSON.parse(body([EVENT])))).toEqual(plain(reference()))
})

test('a receiver that took only a part says how much it refused', () => {
  const { rejected } = otlp('http://localhost:4318/v1/logs')
  expect(rejected('{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"x"}}')).toBe(3)
  expect(rejected('{"partialSuccess":{"rejectedLogRecords":2}}')).toBe(2)
  for (const answer of [
    '',
    '{}',
    '{"partialSuccess":{}}',
    'null',
    '[]',
    '{"partialSuccess":{"rejectedLogRecords":-1}}',
  ])
    expect(rejected(answer)).toBe(0)
})
