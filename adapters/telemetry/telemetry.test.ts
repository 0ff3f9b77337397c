import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { posted } from '../../test/http-lanes.ts'
import { testCustody } from '../../test/kernel/custody.ts'
import {
  ALLOW,
  bundle,
  DENY,
  type Kit,
  type KitOptions,
  kit,
  submission,
} from '../../test/kernel/kit.ts'
import { root } from '../../test/source.ts'
import { systemClock } from '../clock/system.ts'
import { type HttpServer, serveHttp } from '../transport/http/index.ts'
import type { Level } from './eventlog.ts'
import { Telemetry } from './telemetry.ts'
import { ATTRIBUTE } from './tracing.ts'

interface Desk extends Kit {
  readonly telemetry: Telemetry
  readonly url: string
  readonly lines: { readonly [field: string]: unknown }[]
  readonly text: () => string
  scrape(): Promise<string>
}

const opened: { readonly server: HttpServer; readonly desk: Desk }[] = []
afterEach(async () => {
  for (const { server, desk } of opened.splice(0)) {
    await server.close()
    await desk.kernel.close()
    desk.telemetry.close()
  }
})

/** A kernel behind a real server, with everything that can be seen of it. */
async function open(options: KitOptions = {}, level: Level = 'debug'): Promise<Desk> {
  const written: string[] = []
  const stream = { write: (line: string) => void written.push(line) }
  const log = { level, format: 'json', requests: true, stream } as const
  const telemetry = await Telemetry.open({ clock: systemClock, metrics: true, traces: true, log })
  const made = await kit({ observer: telemetry.observer, ...options })
  telemetry.attach(made.kernel)
  const server = await serveHttp(made.kernel, { operations: telemetry.operations })
  const desk: Desk = {
    ...made,
    telemetry,
    url: server.url,
    get lines() {
      return written.map((line) => JSON.parse(line) as Desk['lines'][number])
    },
    text: () => written.join(''),
    scrape: async () => await (await fetch(`${server.url}/metrics`)).text(),
  }
  opened.push({ server, desk })
  return desk
}

const ask = (desk: Desk, headers: Record<string, string> = {}, payload: unknown = {}) =>
  fetch(`${desk.url}/assay/v1/decisions`, posted({ action: 'note.read', payload }, headers))

const ACTIVATED =
  'assay_decisions_total{action="kernel.activate-policy",decision="allow",reason="kernel/policy_activated"} 1'

describe('two engines', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  test('that differ are counted and logged, by digests and a place', async () => {
    const desk = await open()
    desk.telemetry.compared({ outcome: 'same' })
    desk.telemetry.compared({ outcome: 'uncompared' })
    desk.telemetry.compared({
      outcome: 'mismatch',
      digest,
      revision: digest,
      entrypoint: 'assay/access/decision',
      pointer: '/reasons/0/*',
      first: { engine: 'engine/jit', answer: digest },
      second: { engine: 'engine/wasm', answer: 'evaluation_failed' },
    })
    const metrics = await desk.scrape()
    for (const outcome of ['same', 'uncompared', 'mismatch'])
      expect(metrics).toContain(`assay_engine_compared_total{outcome="${outcome}"} 1`)
    const said = desk.lines.filter(({ event }) => event === 'engine_mismatch')
    expect(said).toMatchObject([
      {
        level: 'error',
        digest,
        revision: digest,
        entrypoint: 'assay/access/decision',
        place: '/reasons/0/*',
        answers: [`engine/jit ${digest}`, 'engine/wasm evaluation_failed'],
      },
    ])
  })
})

describe('metrics', () => {
  test('count decisions by action and reason, and what else happens', async () => {
    let policy = ALLOW
    const desk = await open({ policy: () => policy })
    await ask(desk)
    await ask(desk)
    policy = DENY
    await ask(desk)
    await desk.kernel.check(submission('note.write'))
    await fetch(`${desk.url}/assay/v1/decisions`, posted('{'))
    const aborted = desk.kernel.decide(submission(), { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toThrow()
    const text = await desk.scrape()
    for (const line of [
      'assay_decisions_total{action="note.read",decision="allow",reason="owner"} 2',
      'assay_decisions_total{action="note.read",decision="deny",reason="not_owner"} 1',
      'assay_checks_total{action="note.write",decision="deny"} 1',
      'assay_no_decisions_total{code="aborted"} 1',
      'assay_refused_total{source="http",code="malformed"} 1',
      'assay_decision_duration_seconds_count 3',
      'assay_log_size 4',
      'assay_log_backlog 0',
      'assay_unsealed_decisions_total 0',
      'assay_ready 1',
      'assay_in_flight 0',
      `assay_policy_info{digest="${bundle().digest}",revision="${bundle().revision}"} 1`,
      'assay_http_requests_total{route="/assay/v1/decisions",status="200"} 3',
    ])
      expect(text).toContain(`${line}\n`)
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m)
    expect(text).toMatch(/^process_resident_memory_bytes /m)
  })

  test('show a backlog while heads cannot be signed, and why it is not ready', async () => {
    const custody = await testCustody()
    const desk = await open({ custody })
    custody.failing = true
    await desk.kernel.decide(submission())
    const text = await desk.scrape()
    for (const line of [
      'assay_log_backlog 1',
      'assay_unsealed_decisions_total 1',
      'assay_ready 0',
      'assay_problem{code="unsealed"} 1',
    ])
      expect(text).toContain(`${line}\n`)
    custody.failing = false
  })

  test('have few labels, whatever a policy makes up', async () => {
    let n = 0
    const desk = await open({
      policy: () => ({ ...DENY, reasons: [{ code: `made_up_${n++}`, message: '', rule: 'r' }] }),
    })
    for (let i = 0; i < 300; i++) await desk.kernel.decide(submission())
    const series = (await desk.scrape()).match(/^assay_decisions_total\{.*$/gm) ?? []
    // The activation is a decision with a reason of its own.
    expect(series).toHaveLength(257)
    expect(series).toContain(ACTIVATED)
    expect(series).toContain(
      'assay_decisions_total{action="note.read",decision="deny",reason="other"} 45',
    )
  })

  test('are those of the table in docs/operations.md', async () => {
    const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
    const documented = [...page.matchAll(/^\| `(assay_[a-z_]+)/gm)].map(([, name]) => name)
    const desk = await open()
    const there = [...(await desk.scrape()).matchAll(/^# TYPE (assay_\S+)/gm)].map(([, n]) => n)
    expect(there.sort()).toEqual(documented.sort())
  })
})

describe('traces', () => {
  const spans = new InMemorySpanExporter()
  beforeEach(() => {
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    )
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  })
  afterEach(() => {
    spans.reset()
    trace.disable()
    context.disable()
    propagation.disable()
  })
  const TRACE = '0af7651916cd43dd8448eb211c80319c'
  const PARENT = 'b7ad6b7169203331'
  const traceparent = `00-${TRACE}-${PARENT}-01`

  test('a decision over HTTP is a span in the trace of whoever asked', async () => {
    const desk = await open({ policy: () => DENY })
    const { headers } = await ask(desk, { traceparent })
    const [span] = spans.getFinishedSpans() as [ReadableSpan]
    expect(span.name).toBe('authz.evaluate')
    expect(span.spanContext().traceId).toBe(TRACE)
    expect(span.parentSpanContext?.spanId).toBe(PARENT)
    const [, leaf] = await desk.leaves()
    expect(span.attributes).toEqual({
      [ATTRIBUTE.action]: 'note.read',
      [ATTRIBUTE.decision]: 'deny',
      [ATTRIBUTE.decisionId]: headers.get('x-decision-id'),
      [ATTRIBUTE.logIndex]: '1',
      [ATTRIBUTE.policy]: leaf?.policy,
      [ATTRIBUTE.reasons]: ['not_owner'],
      [ATTRIBUTE.revision]: leaf?.revision,
      [ATTRIBUTE.rules]: ['note.owner'],
      [ATTRIBUTE.seal]: 'sealed',
    })
    expect(desk.lines.find(({ event }) => event === 'request')).toMatchObject({ trace_id: TRACE })
  })

  test('a decision in process is a child of the span that is active, concurrent ones of their own', async () => {
    const desk = await open()
    const tracer = trace.getTracer('test')
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        tracer.startActiveSpan(name, async (span) => {
          await desk.kernel.decide(submission())
          span.end()
        }),
      ),
    )
    const all = spans.getFinishedSpans()
    const decided = all.filter(({ name }) => name === 'authz.evaluate')
    const parents = new Map(all.map((span) => [span.spanContext().spanId, span.name]))
    expect(
      decided.map(({ parentSpanContext }) => parents.get(parentSpanContext?.spanId ?? '')).sort(),
    ).toEqual(['a', 'b', 'c'])
    expect(new Set(decided.map(({ attributes }) => attributes[ATTRIBUTE.decisionId])).size).toBe(3)
  })

  test('only what got no decision is an error, with a code and no message', async () => {
    const desk = await open()
    await expect(
      desk.kernel.decide(submission(), { signal: AbortSignal.abort('canary') }),
    ).rejects.toThrow()
    await desk.kernel.check(submission())
    const [failed, checked] = spans.getFinishedSpans() as [ReadableSpan, ReadableSpan]
    expect([failed.name, failed.status, failed.attributes[ATTRIBUTE.error]]).toEqual([
      'authz.evaluate',
      { code: 2 },
      'aborted',
    ])
    expect([checked.name, checked.status.code]).toEqual(['authz.check', 0])
    expect(failed.events).toEqual([])
  })

  test('without an SDK there are none, and decisions are made all the same', async () => {
    trace.disable()
    context.disable()
    propagation.disable()
    const desk = await open()
    expect((await ask(desk, { traceparent })).status).toBe(200)
    expect(spans.getFinishedSpans()).toEqual([])
    expect(desk.lines.some((line) => 'trace_id' in line)).toBe(false)
  })
})

describe('log lines', () => {
  test('say what happened, by codes and ids', async () => {
    const desk = await open()
    const id = '0af7651916cd43dd8448eb211c80319c'
    const { headers } = await ask(desk, { 'x-request-id': id })
    await fetch(`${desk.url}/assay/v1/receipts/canary`)
    await fetch(`${desk.url}/canary?canary`)
    expect(desk.lines).toMatchObject([
      { level: 'debug', event: 'decision', action: 'kernel.activate-policy', index: '0' },
      { level: 'info', event: 'policy_active', digest: bundle().digest },
      {
        level: 'debug',
        event: 'decision',
        action: 'note.read',
        allow: true,
        decision_id: headers.get('x-decision-id'),
        reasons: ['owner'],
      },
      {
        level: 'info',
        event: 'request',
        route: '/assay/v1/decisions',
        status: 200,
        request_id: id,
        decision_id: headers.get('x-decision-id'),
      },
      { event: 'request', route: '/assay/v1/receipts/:id', status: 404 },
      { event: 'request', route: 'unknown', status: 404 },
    ])
    for (const { time } of desk.lines) expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  test('say when it is not ready, and when it is again', async () => {
    const custody = await testCustody()
    const desk = await open({ custody }, 'info')
    const events = (): unknown[] => desk.lines.map(({ event }) => event)
    custody.failing = true
    await desk.kernel.decide(submission())
    await expect.poll(events, { timeout: 5000 }).toContain('not_ready')
    expect(desk.lines.find(({ event }) => event === 'not_ready')).toMatchObject({
      level: 'error',
      problems: ['unsealed'],
    })
    custody.failing = false
    await expect.poll(events, { timeout: 5000 }).toContain('ready')
    expect(events()).toContain('seal_failed')
  })

  test('nothing that a caller or a plugin writes is in any line, metric or error', async () => {
    const desk = await open({
      policy: ({ facts }) => {
        if (JSON.stringify(facts.claimed).includes('throw')) throw new Error('canary-policy')
        const message = `about ${JSON.stringify(facts.claimed)}`
        return { ...DENY, reasons: [{ code: 'not_owner', message, rule: 'note.owner' }] }
      },
    })
    const places = ['body', 'payload', 'key', 'action', 'path', 'query', 'header', 'value', 'throw']
    const secret = fc
      .stringMatching(/^[A-Za-z0-9._~-]{4,40}$/)
      .map((text) => `canary${text.replaceAll('.', '')}`)
    await fc.assert(
      fc.asyncProperty(secret, fc.constantFrom(...places), async (canary, place) => {
        const before = desk.lines.length
        const response = await fetch(...requestWith(desk.url, place, canary))
        const answer = await response.text()
        expect(desk.lines.length).toBeGreaterThan(before)
        expect(desk.text()).not.toContain(canary)
        expect(await desk.scrape()).not.toContain(canary)
        if (response.status !== 200) expect(answer).not.toContain(canary)
      }),
      { numRuns: 100 },
    )
    expect(desk.text()).not.toContain('canary')
  })
})

/** A request with `canary` in one of the places that a caller fills. */
function requestWith(url: string, place: string, canary: string): [string, RequestInit] {
  const at = `${url}/assay/v1/decisions`
  const note = { action: 'note.read', payload: { text: canary } }
  switch (place) {
    case 'body':
      return [at, posted(`{"${canary}`)]
    case 'key':
      return [at, posted({ ...note, [canary]: 1 })]
    case 'action':
      return [at, posted({ ...note, action: `${canary}.read`.toLowerCase() })]
    case 'path':
      return [`${url}/assay/v1/receipts/${canary}`, {}]
    case 'query':
      return [`${at}?token=${canary}`, posted(note)]
    case 'header': {
      const names = ['authorization', 'cookie', 'idempotency-key', 'assay-seal', 'traceparent']
      const headers = Object.fromEntries([...names, 'x-request-id'].map((name) => [name, canary]))
      return [at, posted(note, headers)]
    }
    case 'value':
      return [at, posted(note, { 'idempotency-key': canary, 'x-request-id': canary })]
    case 'throw':
      return [at, posted({ action: 'note.read', payload: { throw: canary } })]
    default:
      return [at, posted(note)]
  }
}
