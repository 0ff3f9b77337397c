/**
 * OpenTelemetry spans through the API package alone: one span a dispatch, in the trace of whoever asked. Where no SDK is registered, the
 * API itself does nothing.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/api; https://www.w3.org/TR/trace-context/
 */
import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import { NoDecision } from '../../core/error.ts'
import type { Dispatch, Observed, Observer } from '../../core/observe.ts'

/** Names of spans and attributes, in one place: no convention for authorization exists yet, and this can follow one. */
export const SPAN: Readonly<Record<Dispatch, string>> = {
  check: 'authz.check',
  decide: 'authz.evaluate',
  search: 'authz.search',
}
export const ATTRIBUTE = {
  action: 'authz.action',
  decision: 'authz.decision',
  decisionId: 'authz.decision_id',
  error: 'error.type',
  logIndex: 'authz.log.index',
  policy: 'authz.policy.digest',
  reasons: 'authz.reason_codes',
  revision: 'authz.policy.revision',
  rules: 'authz.rule_ids',
  seal: 'authz.log.seal',
} as const
const SCOPE = 'assay'

/** Spans of the kernel's dispatches. */
export const tracing: Observer = {
  around({ dispatch, action }, run) {
    const options = { kind: SpanKind.INTERNAL, attributes: { [ATTRIBUTE.action]: action } }
    trace.getTracer(SCOPE).startActiveSpan(SPAN[dispatch], options, (span) => {
      run().then(
        () => span.end(),
        (error: unknown) => failed(span, error),
      )
    })
  },
  decided(observed) {
    const span = trace.getActiveSpan()
    if (span?.isRecording()) span.setAttributes(attributesOf(observed))
  },
}

function attributesOf(observed: Observed): Attributes {
  return {
    [ATTRIBUTE.action]: observed.action,
    [ATTRIBUTE.decision]: observed.allow ? 'allow' : 'deny',
    [ATTRIBUTE.decisionId]: observed.id,
    ...(observed.index === undefined ? {} : { [ATTRIBUTE.logIndex]: observed.index.toString() }),
    [ATTRIBUTE.policy]: observed.policy,
    [ATTRIBUTE.reasons]: observed.reasons.map(({ code }) => code),
    [ATTRIBUTE.revision]: observed.revision,
    [ATTRIBUTE.rules]: observed.reasons.map(({ rule }) => rule),
    [ATTRIBUTE.seal]: observed.seal,
  }
}

/** A deny is an answer; only what got no decision is an error. Its message may quote a cause, so the code alone is said. */
function failed(span: Span, error: unknown): void {
  span.setAttribute(ATTRIBUTE.error, error instanceof NoDecision ? error.code : 'unavailable')
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

export type Header = (name: string) => string | undefined

const HEADERS: TextMapGetter<Header> = {
  get: (header, name) => header(name.toLowerCase()),
  keys: () => [],
}

/** Runs `inner` in the trace that the request's headers name. */
export function inTraceOf<T>(header: Header, inner: () => T): T {
  return context.with(propagation.extract(context.active(), header, HEADERS), inner)
}

/** 32 hex digits, or undefined outside of a trace. */
export function traceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId
}
