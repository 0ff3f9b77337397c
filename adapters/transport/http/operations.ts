/** What operators ask of a server: whether it is alive, whether it is ready, and its metrics. */
import type { Kernel } from '../../../core/kernel.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import type { Call, Endpoint, OpenGroup } from './call.ts'

/** Given by whoever puts the server together; every member may be missing. */
export interface Operations {
  /** The text of GET /metrics. Default: there is no such endpoint. */
  readonly metrics?:
    | (() => Promise<{ readonly contentType: string; readonly body: string }>)
    | undefined
  /** Stable codes of what does not work while decisions are made: part of /health/ready. */
  readonly degraded?: () => readonly string[]
  /** Of signed policies: revision, content and when the source confirmed them last; part of /health/ready. */
  readonly bundle?: () => object | undefined
  /** Runs around every request. It sees the endpoint's pattern and the headers, and returns what `answer` gives, which never rejects. */
  readonly around?: (
    asked: { readonly route: string; readonly header: Call['header'] },
    answer: () => Promise<Answer>,
  ) => Promise<Answer>
}

const NO_STORE = { 'cache-control': 'no-store' }

/** Answered also when the server is full or shutting down. */
export function operationEndpoints(
  kernel: Kernel,
  { metrics, bundle = () => undefined, degraded = () => [] }: Operations = {},
): readonly Endpoint[] {
  const get = (open: OpenGroup, path: string, answer: Endpoint['answer']): Endpoint => ({
    method: 'GET',
    path,
    admitted: false,
    open,
    answer,
  })
  return [
    get('health', '/health/live', () => jsonAnswer({ live: true }, NO_STORE)),
    get('health', '/health/ready', () => ready(kernel, degraded(), bundle())),
    ...(metrics ? [get('metrics', '/metrics', async () => scraped(await metrics()))] : []),
  ]
}

function ready(kernel: Kernel, more: readonly string[], bundle: object | undefined): Answer {
  const { degraded, policy, problems, ready: isReady, sealed, size } = kernel.readiness()
  const all = [...degraded, ...more]
  const body = { ready: isReady, problems, degraded: all, policy, bundle, size, sealed }
  return jsonAnswer(body, NO_STORE, isReady ? 200 : 503)
}

function scraped({ contentType, body }: { contentType: string; body: string }): Answer {
  return { status: 200, headers: { 'content-type': contentType, ...NO_STORE }, body }
}
