/**
 * An external extension: a process beside the function, in whatever language that is written, for as long as the execution environment lives. This
 * is its side of the Extensions API and no more; what it does meanwhile is its owner's.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 */
import { TransportError } from '../../../core/error.ts'

export type ExtensionEvent =
  | { readonly kind: 'invoke'; readonly requestId: string; readonly deadlineMs: number }
  | { readonly kind: 'shutdown'; readonly reason: string; readonly deadlineMs: number }

export interface LambdaExtension {
  /** Waits for the next event; until then the environment may be frozen. @throws TransportError `invalid_options` */
  next(): Promise<ExtensionEvent>
  /** Ends the environment before it served anything: it cannot begin. */
  failed(code: string): Promise<void>
}

export interface ExtensionOptions {
  /** `HOST:PORT`, the platform's own: in its environment as AWS_LAMBDA_RUNTIME_API. */
  readonly runtimeApi: string
  /** Of its file, without a folder: the platform started it under that name. */
  readonly name: string
}

/** @throws TransportError `invalid_options`: the platform does not take it */
export async function registerExtension({
  name,
  runtimeApi,
}: ExtensionOptions): Promise<LambdaExtension> {
  const base = `http://${runtimeApi}/2020-01-01/extension`
  const registered = await call(`${base}/register`, {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': name, 'Content-Type': 'application/json' },
    body: JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] }),
  })
  const id = registered.headers.get('lambda-extension-identifier')
  if (id === null) throw refused('it gives no identifier')
  const own = { 'Lambda-Extension-Identifier': id }
  return {
    async next() {
      const response = await call(`${base}/event/next`, { headers: own })
      return eventOf(await response.json())
    },
    async failed(code) {
      const headers = { ...own, 'Lambda-Extension-Function-Error-Type': `Assay.${code}` }
      await call(`${base}/init/error`, { method: 'POST', headers, body: '{}' })
    },
  }
}

function eventOf(value: unknown): ExtensionEvent {
  const { deadlineMs, eventType, requestId, shutdownReason } = (value ?? {}) as Record<
    string,
    unknown
  >
  const until = Number(deadlineMs)
  if (eventType === 'INVOKE')
    return { kind: 'invoke', requestId: String(requestId), deadlineMs: until }
  if (eventType === 'SHUTDOWN')
    return { kind: 'shutdown', reason: String(shutdownReason), deadlineMs: until }
  throw refused('it sends an event of another type')
}

async function call(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.ok) return response
  throw refused(`it answers ${response.status}`)
}

function refused(what: string): TransportError {
  return new TransportError('transport/lambda', 'invalid_options', `the Extensions API: ${what}`)
}
